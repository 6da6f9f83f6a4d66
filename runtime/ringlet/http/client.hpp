// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/http/message.hpp>
#include <ringlet/http/parser.hpp>
#include <ringlet/http/url.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/net/tls_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ringlet::http {

/// The peer does not speak HTTP/1.1 as it should; `what()` says how.
class protocol_error : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// The client's side of an HTTP/1.1 connection: one request after the other.
/// One call at a time. Thread: the loop's thread only.
class client_connection {
public:
    explicit client_connection(net::tcp_stream stream, const limits& bounds = limits::for_responses());
    /// A body without a length is whole only after the server's close_notify (RFC 9112 section 9.8).
    explicit client_connection(net::tls_stream stream, const limits& bounds = limits::for_responses());

    /// Sends a request and waits for the head of its final response; interim ones are passed over. The body of the
    /// response before, if any, must have been read to its end.
    ///
    /// Result:    the head, valid until the next request.
    /// Errors:    std::system_error of the stream; net::errc::unexpected_end when the server closed instead (then, on a
    ///            connection used before, the request may be tried again on a new one); protocol_error;
    ///            std::invalid_argument for a request that must not be sent.
    /// Lifetime:  borrows `head` and `body` until the co_await ends.
    task<response_head*> request(const request_head& head, std::string_view body = {});

    /// The next bytes of the response's body, as they came.
    /// Result:    a view, valid until the next call; empty at the end of the body.
    /// Errors:    as `request`; net::errc::unexpected_end for a body that is cut.
    task<std::span<const std::byte>> read_some();

    /// Moves the next bytes of the body from the socket into a pipe that has room for them, without a copy.
    /// Result: how many, at most `bytes_max`; 0 where only `read_some` can go on: at the end, with what has been received
    /// already, under TLS, without a length, or when a splice would wait.
    /// Errors: as `read_some`.
    task<std::size_t> splice_some(io::fd_ref pipe, std::size_t bytes_max);

    /// Copies the next bytes of the body. Result: how many, 0 at the end.
    task<std::size_t> read(std::span<std::byte> into);

    /// Length of the body where the head told it.
    std::optional<std::uint64_t> body_bytes() const noexcept { return parser_.body_bytes(); }
    framing body_framing() const noexcept { return parser_.body_framing(); }
    /// After the end of a body: whether another request may follow. Not when the server has closed since, or sent what
    /// nobody asked for: that would be taken for the next response. Looks at the socket, without waiting.
    bool reusable() noexcept;
    /// The same as far as it is known without that look.
    bool may_be_reusable() const noexcept { return at_end_ && usable_ && unread_.empty(); }

    /// Takes at most so many bytes off the network at a time, e.g. to go slowly. At first 128 KiB.
    void receive_at_most(std::size_t bytes) noexcept { receive_bytes_ = bytes; }

    net::tcp_stream& stream() noexcept { return tls_ ? tls_->transport() : *plain_; }

private:
    task<> send(std::string_view text);
    task<bool> receive(std::size_t bytes_max);
    [[noreturn]] void malformed();

    std::optional<net::tcp_stream> plain_;  // either this
    std::optional<net::tls_stream> tls_;    // or this
    response_parser parser_;
    // Large enough that a fast connection is read in few calls, small enough to stay in the processor's cache.
    std::size_t receive_bytes_ = std::size_t{128} * 1024;
    std::vector<std::byte> buffer_;
    std::span<std::byte> unread_;
    std::span<const std::byte> part_;  // of the body, not yet copied by `read`
    bool at_end_ = true;
    bool usable_ = true;
};

/// A response with its connection.
class response {
public:
    response(std::unique_ptr<client_connection> connection, response_head* head) noexcept
        : connection_{std::move(connection)}, head_{head} {}

    http::status status() const noexcept { return head_->status; }
    const http::fields& fields() const noexcept { return head_->fields; }
    std::optional<std::uint64_t> body_bytes() const noexcept { return connection_->body_bytes(); }
    /// See client_connection::read.
    task<std::size_t> read(std::span<std::byte> into) { return connection_->read(into); }
    /// The rest of the body. Throws std::length_error beyond `bytes_max`.
    task<std::string> text(std::size_t bytes_max = 16 << 20);

private:
    std::unique_ptr<client_connection> connection_;
    response_head* head_;
};

/// Gets an http or https URL over a connection of its own; follows no redirect, and looks at no status. Who a server is, the
/// system's certificate authorities say.
///
/// Result:    the response, its body still to be read.
/// Errors:    std::invalid_argument for what is no such URL; those of net::tcp_stream::connect, net::tls_stream::connect and
///            client_connection::request.
task<response> get(std::string url);

}  // namespace ringlet::http
