// SPDX-License-Identifier: MIT
#include <ringlet/http/date.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/http/writer.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace ringlet::http {
namespace {

// Answers to pipelined requests are gathered up to this size.
constexpr std::size_t gathered_bytes_max = 64 * 1024;
// How long `close` waits for the peer to close, so that the last answer is not lost to a reset.
constexpr auto linger = std::chrono::seconds{2};

std::string_view date_now() {
    thread_local std::time_t cached_at = 0;
    thread_local std::array<char, 29> text{};
    if (const std::time_t now = std::time(nullptr); now != cached_at) {
        text = format_date(std::chrono::sys_seconds{std::chrono::seconds{now}});
        cached_at = now;
    }
    return {text.data(), text.size()};
}

}  // namespace

server_connection::server_connection(net::tcp_stream stream, const server_limits& limits)
    : stream_{std::move(stream)}, limits_{limits}, parser_{limits.message} {}

std::span<const std::byte> server_connection::input() const noexcept {
    return kept_input_.empty() ? std::span<const std::byte>{lease_.bytes()} : std::as_bytes(std::span{kept_input_});
}

void server_connection::consume(std::size_t bytes) noexcept {
    if (!kept_input_.empty()) {
        kept_input_.erase(0, bytes);
        if (kept_input_.empty()) kept_input_ = {};
        return;
    }
    lease_.consume(bytes);
    if (lease_.empty()) lease_.release();
}

// Fetches more input. False at the end of the stream, or when `until` has come.
task<bool> server_connection::receive(deadline until, bool& timed_out) {
    co_await flush();
    auto got = co_await as_result(with_deadline(until, stream_.recv_lease()));
    timed_out = got.error() == std::errc::timed_out;
    if (timed_out) co_return false;
    if (!got) throw std::system_error{got.error(), "recv"};
    lease_ = *std::move(got);
    co_return !lease_.empty();
}

task<request_head*> server_connection::next_request() {
    const bool in_step = co_await drop_body();
    if (!in_step || !keep_alive_) co_return nullptr;
    std::optional<deadline> head_deadline;
    for (;;) {
        const parse_result found = parser_.feed(input());
        consume(found.consumed);
        if (found.what == event::head) break;
        if (found.what == event::error) {
            co_await refuse(parser_.error());
            co_return nullptr;
        }
        if (found.what != event::need_more) continue;
        const bool idle = parser_.idle();
        if (idle) {
            parser_.release_memory();
            co_await flush();
            output_ = {};
        } else if (!head_deadline) {
            head_deadline = deadline_after(limits_.head_time);
        }
        bool timed_out = false;
        bool more = false;
        if (idle && limits_.until) {
            const std::optional<bool> got =
                co_await limits_.until->unless_begun(receive(deadline_after(limits_.idle_time), timed_out));
            more = got.value_or(false);
            timed_out = timed_out || !got;  // the drain: an end without an answer, as for an idle connection
        } else {
            more = co_await receive(head_deadline.value_or(deadline_after(limits_.idle_time)), timed_out);
        }
        if (more) continue;
        if (timed_out && head_deadline) {
            co_await refuse({status::request_timeout, "the request took too long to come"});
        } else if (!timed_out && parser_.finish().what == event::error) {
            co_await refuse({status::bad_request, "the request ended early"});
        }
        keep_alive_ = false;
        co_return nullptr;
    }
    request_head& head = parser_.head();
    in_request_ = true;
    head_only_ = head.method == method::head;
    old_client_ = head.version == version::http_1_0;
    must_continue_ = parser_.expects_continue();
    keep_alive_ = keep_alive_ && parser_.keep_alive();
    body_sent_ = 0;
    co_return &head;
}

task<std::size_t> server_connection::read_body(std::span<std::byte> into) {
    if (!in_request_ || into.empty()) co_return 0;
    if (std::exchange(must_continue_, false)) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
    for (;;) {
        const auto available = input();
        const parse_result found = parser_.feed(available.first(std::min(available.size(), into.size())));
        if (found.what == event::body) std::ranges::copy(found.body, into.begin());
        consume(found.consumed);
        if (found.what == event::body) co_return found.body.size();
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

// Reads what the handler left of a body. False when it is too much, or malformed: then the connection has to end.
task<bool> server_connection::drop_body() {
    if (broken_) co_return false;
    if (!in_request_) co_return true;
    if (must_continue_) {  // the client was never asked for its body, and may send it or not: no way to tell what follows
        must_continue_ = false;
        if (parser_.body_framing() != framing::none) co_return false;
    }
    std::array<std::byte, 4096> dropped;
    for (std::uint64_t total = 0; total <= limits_.unread_body_max;) {
        const result<std::size_t> got = co_await as_result(read_body(dropped));
        if (!got) co_return false;
        if (*got == 0) co_return true;
        total += *got;
    }
    co_return false;
}

task<> server_connection::refuse(parse_error error) {
    keep_alive_ = false;
    head_only_ = false;
    old_client_ = false;
    in_request_ = false;
    broken_ = true;
    const std::string body =
        fmt::format("{} {}: {}\n", to_number(error.status), reason_phrase(error.status), error.reason);
    response_head head;
    head.status = error.status;
    head.fields.add("Content-Type", "text/plain; charset=utf-8");
    co_await respond(std::move(head), body);
}

void server_connection::put_head(response_head& head, std::optional<std::uint64_t> body_bytes, bool bodiless) {
    if (must_continue_ && parser_.body_framing() != framing::none) keep_alive_ = false;
    if (limits_.until && limits_.until->begun()) keep_alive_ = false;
    head.version = version::http_1_1;
    if (!head.fields.contains("Date")) head.fields.add("Date", date_now());
    chunked_ = false;
    if (bodiless) {
        head.fields.remove("Content-Length");
    } else if (body_bytes) {
        head.fields.set("Content-Length", fmt::to_string(*body_bytes));
    } else if (old_client_) {
        keep_alive_ = false;  // RFC 9112 section 6.3: only the close ends such a body
    } else {
        head.fields.set("Transfer-Encoding", "chunked");
        chunked_ = true;
    }
    if (head.fields.has_token("Connection", "close")) keep_alive_ = false;
    if (!keep_alive_)
        head.fields.set("Connection", "close");
    else if (old_client_)
        head.fields.set("Connection", "keep-alive");
    append_head(output_, head);
}

task<> server_connection::respond(response_head head, std::string_view body) {
    const bool bodiless =
        is_interim(head.status) || head.status == status::no_content || head.status == status::not_modified;
    put_head(head, body.size(), bodiless);
    if (!bodiless && !head_only_) {
        output_ += body;
        body_sent_ = body.size();
    }
    if (output_.size() >= gathered_bytes_max) co_await flush();
}

task<> server_connection::begin_response(response_head head, std::optional<std::uint64_t> body_bytes) {
    put_head(head, body_bytes, false);
    announced_ = body_bytes;
    body_sent_ = 0;
    co_return;
}

task<> server_connection::write(std::span<const std::byte> part) {
    if (head_only_ || part.empty()) co_return;
    if (announced_ && *announced_ - body_sent_ < part.size())
        throw std::logic_error{"a response's body is longer than was announced"};
    if (chunked_) output_ += chunk_line{part.size()}.text();
    keep_input();
    std::array<iovec, 3> parts{net::part_of(std::as_bytes(std::span{output_})), net::part_of(part),
                               net::part_of(std::as_bytes(std::span{chunk_end}))};
    const std::size_t first = output_.empty() ? 1 : 0;
    const std::size_t last = chunked_ ? 3 : 2;
    co_await with_timeout(limits_.stall_time, stream_.send_all(std::span{parts}.subspan(first, last - first)));
    output_.clear();
    body_sent_ += part.size();
}

task<> server_connection::end_response() {
    if (chunked_ && !head_only_) output_ += last_chunk;
    if (announced_ && !head_only_ && body_sent_ < *announced_) {
        broken_ = true;
        keep_alive_ = false;
    }
    announced_.reset();
    chunked_ = false;
    if (output_.size() >= gathered_bytes_max) co_await flush();
}

// Before a send, which may wait for a slow reader: gives the loop's buffer back.
void server_connection::keep_input() {
    if (lease_.empty()) return;
    const auto unread = lease_.bytes();
    kept_input_.assign(reinterpret_cast<const char*>(unread.data()), unread.size());
    lease_.release();
}

task<> server_connection::flush() {
    if (output_.empty()) co_return;
    keep_input();
    co_await with_timeout(limits_.stall_time, stream_.send_all(std::as_bytes(std::span{output_})));
    output_.clear();
}

task<> server_connection::close() {
    co_await flush();
    lease_.release();
    kept_input_ = {};
    const result<void> half_closed = co_await as_result(stream_.shutdown_send());
    if (!half_closed) co_return;
    const deadline end = deadline_after(linger);
    std::array<std::byte, 4096> dropped;
    for (;;) {
        const result<std::size_t> got = co_await as_result(with_deadline(end, stream_.recv(dropped)));
        if (!got || *got == 0) co_return;
    }
}

}  // namespace ringlet::http
