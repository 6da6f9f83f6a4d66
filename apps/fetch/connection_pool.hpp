// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/net/tls_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace fetch {

/// A response whose body is still to be read, with its connection and where it came from.
struct answer {
    answer(ringlet::http::url where, std::unique_ptr<ringlet::http::client_connection> carrier,
           ringlet::http::response_head* first) noexcept
        : from{std::move(where)}, connection{std::move(carrier)}, head{first} {}

    ringlet::http::url from;
    std::unique_ptr<ringlet::http::client_connection> connection;
    ringlet::http::response_head* head;  ///< until the body has been read
};

/// Makes connections and keeps those that can be used again for the next request to the same server.
class connection_pool {
public:
    /// `patience`: how long to wait for a connection, TLS included, and for the head of a response. Throws failure when the
    /// file of `trust` cannot be read.
    connection_pool(std::chrono::nanoseconds patience, std::size_t idle_max, const ringlet::net::tls_trust& trust);

    /// Sends a GET request and waits for the head of the response. A kept connection that the server has closed
    /// meanwhile is replaced by a new one. Throws failure, std::system_error of names and connections, and
    /// http::protocol_error.
    ringlet::task<answer> get(ringlet::http::url where);

    /// Keeps the connection when another request may follow; else closes it.
    void keep(answer used);

    /// The same for a response whose body nobody wants: reads it when it is short.
    ringlet::task<> dismiss(answer unwanted);

private:
    using connection = std::unique_ptr<ringlet::http::client_connection>;
    struct idle {
        ringlet::http::url from;
        connection carrier;
    };

    [[nodiscard]] connection take(const ringlet::http::url& where);
    ringlet::task<connection> connect(const ringlet::http::url& where);
    ringlet::task<connection> connect_and_secure(const ringlet::http::url& where);
    const ringlet::net::tls_context& tls();
    ringlet::task<ringlet::http::response_head*> ask(ringlet::http::client_connection& server,
                                                     const ringlet::http::url& where, bool used_before);

    std::chrono::nanoseconds patience_;
    std::size_t idle_max_;
    std::vector<idle> idle_;
    ringlet::net::tls_trust trust_;
    std::optional<ringlet::net::tls_context> tls_;
};

}  // namespace fetch
