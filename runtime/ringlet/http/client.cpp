// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/http/writer.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

namespace ringlet::http {
namespace {

// For the head, and a small body with it: who gets nothing larger needs no more memory, and the rest may go another way.
constexpr std::size_t first_receive_bytes = 16 * 1024;
constexpr const char* closed_within = "the server closed the connection within the body";

// More interim responses than this are an attack on whoever waits for the final one.
constexpr unsigned interim_max = 32;

// Read once: there are many authorities.
const net::tls_context& system_trust() {
    static const net::tls_context trust = net::tls_context::client(net::tls_trust(), "http/1.1");
    return trust;
}

}  // namespace

client_connection::client_connection(net::tcp_stream stream, const limits& bounds)
    : plain_{std::move(stream)}, parser_{bounds} {}

client_connection::client_connection(net::tls_stream stream, const limits& bounds)
    : tls_{std::move(stream)}, parser_{bounds} {}

task<> client_connection::send(std::string_view text) {
    if (tls_)
        co_await tls_->send_all(as_bytes(text));
    else
        co_await plain_->send_all(as_bytes(text));
}

task<bool> client_connection::receive(std::size_t bytes_max) {
    if (buffer_.size() < bytes_max) buffer_ = std::vector<std::byte>(bytes_max);
    const std::span<std::byte> place = std::span{buffer_}.first(bytes_max);
    std::size_t got = 0;
    if (tls_)
        got = co_await tls_->recv(place);
    else
        got = co_await plain_->recv(place);
    unread_ = std::span{buffer_}.first(got);
    co_return got > 0;
}

void client_connection::malformed() {
    usable_ = false;
    throw protocol_error{"malformed response: " + std::string{parser_.error().reason}};
}

task<response_head*> client_connection::request(const request_head& head, std::string_view body) {
    ringlet::detail::require(at_end_, "the body of a response must be read to its end before the next request");
    std::string out;
    append_head(out, head);
    out += body;
    parser_.answers(head.method);
    at_end_ = false;
    co_await send(out);
    // TLS has its records in memory of its own anyway, and opens as many at a time as there is room for.
    const std::size_t first_bytes = tls_ ? receive_bytes_ : std::min(first_receive_bytes, receive_bytes_);
    for (unsigned interim = 0;;) {
        const parse_result found = parser_.feed(unread_);
        unread_ = unread_.subspan(found.consumed);
        if (found.what == event::error) malformed();
        if (found.what == event::head) {
            if (!is_interim(parser_.head().status) || parser_.upgraded()) break;
            if (++interim > interim_max) {
                usable_ = false;
                throw protocol_error{"the server sends interim responses without end"};
            }
        }
        if (found.what != event::need_more) continue;  // an interim response has ended: the next head follows
        const bool more = co_await receive(first_bytes);
        if (!more) {
            usable_ = false;
            throw std::system_error{net::errc::unexpected_end, "the server closed the connection without an answer"};
        }
    }
    usable_ = parser_.keep_alive();
    co_return &parser_.head();
}

bool client_connection::reusable() noexcept {
    if (!may_be_reusable()) return false;
    char byte = 0;
    const auto got = io::sys::recv(stream().socket().get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

task<std::span<const std::byte>> client_connection::read_some() {
    if (!part_.empty()) co_return std::exchange(part_, {});
    while (!at_end_) {
        const parse_result found = parser_.feed(unread_);
        unread_ = unread_.subspan(found.consumed);
        if (found.what == event::error) malformed();
        if (found.what == event::body) co_return found.body;
        if (found.what == event::complete) at_end_ = true;
        if (found.what != event::need_more) continue;
        const bool more = co_await receive(receive_bytes_);
        if (more) continue;
        usable_ = false;
        if (parser_.finish().what != event::complete) throw std::system_error{net::errc::unexpected_end, closed_within};
        at_end_ = true;
    }
    co_return std::span<const std::byte>{};
}

task<std::size_t> client_connection::splice_some(io::fd_ref pipe, std::size_t bytes_max) {
    const bool possible = plain_ && unread_.empty() && part_.empty();
    const std::uint64_t left = possible ? std::min<std::uint64_t>(parser_.unfed_bytes(), bytes_max) : 0;
    if (left == 0) co_return 0;
    // By the loop only the waiting: io_uring would give the splice itself to a thread of the kernel.
    const io::fd_ref socket = plain_->socket();
    co_await io::poll_op{socket, POLLIN};
    const ssize_t moved = io::sys::splice(socket.get(), nullptr, pipe.get(), nullptr, static_cast<std::size_t>(left),
                                          SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved > 0) {
        parser_.pass(static_cast<std::uint64_t>(moved));
        co_return static_cast<std::size_t>(moved);
    }
    const int error = errno;
    if (moved < 0 && (error == EAGAIN || error == EINTR)) co_return 0;  // it was not ready after all
    usable_ = false;
    if (moved == 0) throw std::system_error{net::errc::unexpected_end, closed_within};
    throw std::system_error{error, std::generic_category(), "splice"};
}

task<std::size_t> client_connection::read(std::span<std::byte> into) {
    if (part_.empty()) part_ = co_await read_some();
    const std::size_t count = std::min(part_.size(), into.size());
    std::ranges::copy(part_.first(count), into.begin());
    part_ = part_.subspan(count);
    co_return count;
}

task<std::string> response::text(std::size_t bytes_max) {
    std::string all;
    for (;;) {
        const std::span<const std::byte> part = co_await connection_->read_some();
        if (part.empty()) co_return all;
        if (part.size() > bytes_max - all.size()) throw std::length_error{"the response's body is too long"};
        all.append(reinterpret_cast<const char*>(part.data()), part.size());
    }
}

task<response> get(std::string url_text) {
    const checked<url> where = url::parse(url_text);
    if (!where) throw std::invalid_argument{url_text + ": " + std::string{where.reason()}};
    net::tcp_stream stream = co_await net::tcp_stream::connect(where->host(), where->port());
    std::unique_ptr<client_connection> connection;
    if (where->is_https()) {
        net::tls_stream secured = co_await net::tls_stream::connect(std::move(stream), system_trust(), where->host());
        connection = std::make_unique<client_connection>(std::move(secured));
    } else {
        connection = std::make_unique<client_connection>(std::move(stream));
    }
    request_head head;
    head.target = where->target();
    head.fields.add("Host", where->host_field());
    head.fields.add("Accept", "*/*");
    head.fields.add("Connection", "close");
    response_head* const answer = co_await connection->request(head);
    co_return response{std::move(connection), answer};
}

}  // namespace ringlet::http
