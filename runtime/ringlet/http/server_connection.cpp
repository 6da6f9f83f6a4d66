// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/http/detail/spare_memory.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace ringlet::http {

using detail::gathered_bytes_max;
using detail::record_bytes;
using detail::spare_outputs;

namespace {

constexpr parse_error too_slow{status::request_timeout, "the request took too long to come"};
constexpr parse_error ended_early{status::bad_request, "the request ended early"};

}  // namespace

server_connection::server_connection(net::tcp_stream stream, const server_limits& limits)
    : stream_{std::move(stream)}, limits_{limits}, parser_{limits.message} {}

server_connection::server_connection(net::tls_stream stream, const server_limits& limits)
    : server_connection{std::move(stream).release(), limits} {}

server_connection::server_connection(net::tls_stream::parts parts, const server_limits& limits)
    : server_connection{std::move(parts.transport), limits} {
    tls_ = std::make_unique<net::tls_session>(std::move(parts.session));
}

std::span<const std::byte> server_connection::input() const noexcept {
    if (kept_) return ringlet::as_bytes(kept_->bytes).subspan(kept_->consumed);
    return lease_.bytes();
}

void server_connection::consume(std::size_t bytes) noexcept {
    if (kept_) {
        kept_->consumed += bytes;
        if (kept_->consumed == kept_->bytes.size()) kept_.reset();
        return;
    }
    lease_.consume(bytes);
    if (lease_.empty()) lease_.release();
}

// Made here, so that of its parts nothing stays in a frame that waits for long.
auto server_connection::receive_until(deadline until) { return as_result(with_deadline(until, stream_.recv_lease())); }

// Fetches more input. False at the end of the stream, or when `until` has come.
task<bool> server_connection::receive(deadline until, bool& timed_out) {
    for (;;) {
        if (!output_.empty() || tls_) co_await flush();
        if (tls_ && unseal()) co_return true;
        if (peer_closed_) co_return false;
        if (tls_ && !tls_->output().empty()) continue;  // answers to what concerns the session only
        spare_outputs.put(output_);
        if (tls_) spare_outputs.put(tls_->output());
        auto got = co_await receive_until(until);
        timed_out = got.error() == std::errc::timed_out;
        if (timed_out) co_return false;
        if (!got) throw std::system_error{got.error(), "recv"};
        lease_ = *std::move(got);
        if (lease_.empty()) co_return false;  // under TLS, too: whether a request is whole, its framing says
        if (!tls_) co_return true;
    }
}

net::tls_session::outcome server_connection::read_sealed(std::span<std::byte> into) {
    try {
        return tls_->read(into);
    } catch (const std::system_error&) {
        const std::string& alert = tls_->output();
        io::sys::send(stream_.socket().get(), alert.data(), alert.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        throw;
    }
}

// Opens the next record of what came under TLS. There was no other input. False: none is whole, or no input was in it.
bool server_connection::unseal() {
    tls_->feed(lease_.bytes());
    lease_.release();
    std::array<std::byte, record_bytes> clear;
    const net::tls_session::outcome got = read_sealed(clear);
    peer_closed_ = got.closed;
    if (got.bytes == 0) return false;
    kept_ = std::make_unique<kept_input>();
    kept_->bytes = as_text(std::span{clear}.first(got.bytes));
    return true;
}

// Of what has come.
event server_connection::read_head() {
    const parse_result found = parser_.feed(input());
    consume(found.consumed);
    return found.what;
}

request_head* server_connection::begin_request() noexcept {
    request_head& head = parser_.head();
    head_only_ = head.method == method::head;
    old_client_ = head.version == version::http_1_0;
    must_continue_ = parser_.expects_continue();
    client_closes_ = !parser_.keep_alive();
    keep_alive_ = keep_alive_ && !client_closes_;
    body_read_ = 0;
    body_sent_ = 0;
    answered_.reset();
    in_request_ = parser_.body_bytes() != 0;
    if (!in_request_) parser_.feed({});  // its end
    return &head;
}

ready_or_task<request_head*> server_connection::next_request() {
    if (!keep_alive_ || broken_) return nullptr;
    if (in_request_ || output_.size() >= gathered_bytes_max) return finish_and_await_request();
    const event found = read_head();
    if (found == event::head && parser_.body_bytes() == 0) return begin_request();
    return await_request(found);
}

task<request_head*> server_connection::finish_and_await_request() {
    if (output_.size() >= gathered_bytes_max) co_await flush();
    if (in_request_) {
        const bool in_step = co_await drop_body();
        if (!in_step) co_return nullptr;
    }
    co_return co_await await_request(read_head());
}

task<request_head*> server_connection::await_request(event found) {
    head_only_ = false;
    deadline idle_end = deadline::max();  // one for the whole wait: empty lines before a request do not extend it
    deadline head_end = deadline::max();
    for (; found != event::head; found = read_head()) {
        if (found == event::error) {
            refuse(parser_.error());
            co_return nullptr;
        }
        if (found != event::need_more) continue;
        const bool idle = parser_.idle();
        if (idle) {
            parser_.release_memory();
            if (idle_end == deadline::max()) idle_end = coarse_deadline_after(limits_.idle_time);
        } else if (head_end == deadline::max()) {
            head_end = coarse_deadline_after(limits_.head_time);
        }
        bool timed_out = false;
        bool more = false;
        if (idle && limits_.until) {
            const std::optional<bool> got = co_await limits_.until->unless_begun(receive(idle_end, timed_out));
            more = got.value_or(false);
            timed_out = timed_out || !got;  // the drain: an end without an answer, as for an idle connection
        } else {
            more = co_await receive(idle ? idle_end : head_end, timed_out);
        }
        if (more) continue;
        if (timed_out && head_end != deadline::max()) {
            refuse(too_slow);
        } else if (!timed_out && parser_.finish().what == event::error) {
            refuse(ended_early);
        }
        keep_alive_ = false;
        ended_idle_ = idle;
        co_return nullptr;
    }
    request_head* const head = begin_request();
    if (in_request_ && !limits_.wants_bodies) {
        const bool sound = co_await take_unwanted_body();
        if (!sound) co_return nullptr;
    }
    co_return head;
}

task<std::size_t> server_connection::read_body(std::span<std::byte> into) {
    if (!in_request_ || into.empty()) co_return 0;
    if (std::exchange(must_continue_, false)) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
    for (;;) {
        const auto available = input();
        const parse_result found = parser_.feed(available.first(std::min(available.size(), into.size())));
        if (found.what == event::body) std::ranges::copy(found.body, into.begin());
        consume(found.consumed);
        if (found.what == event::body) {
            body_read_ += found.body.size();
            co_return found.body.size();
        }
        if (found.what == event::complete) {
            in_request_ = false;
            co_return 0;
        }
        if (found.what == event::error) {
            broken_ = true;
            throw std::system_error{net::errc::unexpected_end, std::string{parser_.error().reason}};
        }
        if (found.consumed > 0 || found.what != event::need_more) continue;
        bool timed_out = false;
        const bool more = co_await receive(deadline_after(limits_.stall_time), timed_out);
        if (more) continue;
        broken_ = true;
        if (timed_out) throw std::system_error{make_error_code(std::errc::timed_out), "request body"};
        throw std::system_error{net::errc::unexpected_end, "request body"};
    }
}

// Reads on to the end of a body that nobody wants. False: it is too long for that.
task<result<bool>> server_connection::skip_body() {
    const deadline end = deadline_after(limits_.head_time);
    std::array<std::byte, 4096> dropped;
    for (std::uint64_t total = 0; total <= limits_.unread_body_max;) {
        const result<std::size_t> got = co_await as_result(with_deadline(end, read_body(dropped)));
        if (!got) co_return got.error();
        if (*got == 0) co_return true;
        total += *got;
    }
    co_return false;
}

// What the handler left of a body. False when it is too much, or malformed: then the connection has to end.
task<bool> server_connection::drop_body() {
    const result<bool> ended = co_await skip_body();
    co_return ended && *ended;
}

// All of a body, before the answer. False: it was malformed, cut or too slow, and is refused.
task<bool> server_connection::take_unwanted_body() {
    if (must_continue_ || parser_.body_bytes().value_or(0) > limits_.unread_body_max) co_return true;
    const result<bool> ended = co_await skip_body();
    if (ended) {
        keep_alive_ = keep_alive_ && *ended;
        co_return true;
    }
    if (ended.error() == std::errc::timed_out)
        refuse(too_slow);
    else if (ended.error() == net::errc::unexpected_end)
        refuse(parser_.error().reason.empty() ? ended_early : parser_.error());
    else
        throw std::system_error{ended.error(), "recv"};
    co_return false;
}

// The answer goes out with those before it, when the connection is closed.
void server_connection::refuse(parse_error error) {
    refused_ = true;
    keep_alive_ = false;
    old_client_ = false;
    in_request_ = false;
    broken_ = true;
    const std::string body =
        fmt::format("{} {}: {}\n", to_number(error.status), reason_phrase(error.status), error.reason);
    response_head head;
    head.status = error.status;
    head.fields.add("Content-Type", "text/plain; charset=utf-8");
    put_head(head, body.size());
    if (skips_body_) return;
    output_ += body;
    body_sent_ = body.size();
}

}  // namespace ringlet::http
