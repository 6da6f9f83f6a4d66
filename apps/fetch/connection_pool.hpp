// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/options.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/net/tls_context.hpp>
#include <ringlet/sync/semaphore.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fetch {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// What is asked for.
struct question {
    explicit question(ringlet::http::url where) noexcept : url{std::move(where)} {}

    ringlet::http::url url;
    std::string range;     ///< "bytes=0-"; empty: all of it
    std::string if_range;  ///< the validator that goes with it
};

/// The right to one more connection to a host.
class host_slot {
public:
    host_slot() noexcept = default;
    explicit host_slot(std::shared_ptr<ringlet::semaphore> taken_from) noexcept : from_{std::move(taken_from)} {}
    host_slot(host_slot&&) noexcept = default;
    host_slot& operator=(host_slot&& other) noexcept {
        std::swap(from_, other.from_);
        return *this;
    }
    ~host_slot() {
        if (from_) from_->release();
    }

private:
    std::shared_ptr<ringlet::semaphore> from_;
};

/// A response whose body is still to be read, with its connection and where it came from.
struct answer {
    answer(ringlet::http::url where, std::unique_ptr<ringlet::http::client_connection> carrier,
           ringlet::http::response_head* first, host_slot right) noexcept
        : from{std::move(where)}, slot{std::move(right)}, connection{std::move(carrier)}, head{first} {}

    ringlet::http::url from;
    host_slot slot;
    std::unique_ptr<ringlet::http::client_connection> connection;
    ringlet::http::response_head* head;  ///< until the body has been read
};

/// Makes connections and keeps those that can be used again for the next request to the same server.
class connection_pool {
public:
    /// Throws failure when the file of certificate authorities cannot be read.
    explicit connection_pool(const options& how);

    /// Sends a GET request and waits for the head of the response; before that, for one of the connections that may go to
    /// this host. A kept connection that the server has closed meanwhile is replaced by a new one. `secrets`: fields with
    /// credentials may go along. Throws failure, std::system_error of names and connections, and http::protocol_error.
    ringlet::task<answer> get(question what, bool secrets);

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

    ringlet::task<host_slot> slot_for(const ringlet::http::url& where);
    [[nodiscard]] connection take(const ringlet::http::url& where);
    ringlet::task<connection> connect(const ringlet::http::url& where);
    ringlet::task<connection> connect_and_secure(const ringlet::http::url& where, bool& resolved);
    const ringlet::net::tls_context& tls();
    [[nodiscard]] ringlet::http::request_head request_for(const question& what, bool secrets) const;
    ringlet::task<ringlet::http::response_head*> ask(ringlet::http::client_connection& server,
                                                     const ringlet::http::request_head& request,
                                                     const ringlet::http::url& where, bool used_before);

    std::chrono::nanoseconds patience_;  // for a connection, TLS included, and for the head of a response
    std::size_t per_host_;
    std::size_t idle_max_;
    std::size_t receive_bytes_;
    header_list headers_;
    std::unordered_map<std::string, std::shared_ptr<ringlet::semaphore>> hosts_;
    std::vector<idle> idle_;
    ringlet::net::tls_trust trust_;
    std::optional<ringlet::net::tls_context> tls_;
};

}  // namespace fetch
