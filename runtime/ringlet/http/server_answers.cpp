// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/http/detail/spare_memory.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/http/writer.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <stdexcept>
#include <utility>

namespace ringlet::http {

using detail::spare_outputs;

namespace {

// A body this small is copied behind its head when another request waits already; sending it apart costs more.
constexpr std::size_t gathered_body_bytes_max = std::size_t{16} * 1024;
// A body this small is copied behind its head in any case.
constexpr std::size_t copied_bytes_max = std::size_t{2} * 1024;

std::string_view date_now() {
    thread_local std::time_t cached_at = 0;
    thread_local std::array<char, 29> text{};
    if (const std::time_t now = io::sys::time(); now != cached_at) {
        text = format_date(std::chrono::sys_seconds{std::chrono::seconds{now}});
        cached_at = now;
    }
    return {text.data(), text.size()};
}

bool has_no_body(status s) noexcept { return is_interim(s) || s == status::no_content || s == status::not_modified; }

}  // namespace

void server_connection::begin_head(http::status status) {
    // The client was never asked for its body, and may send it or not: no way to tell what follows.
    if (!is_interim(status) && std::exchange(must_continue_, false)) keep_alive_ = false;
    if (limits_.until && limits_.until->begun()) keep_alive_ = false;
    spare_outputs.take(output_);
    chunked_ = false;
    skips_body_ = head_only_ || has_no_body(status);
    body_sent_ = 0;
    answered_ = status;
}

void server_connection::put_head(const prepared_head& head) {
    begin_head(head.status());
    output_ += head.text();
    output_ += date_now();
    if (!keep_alive_)
        output_ += "\r\nConnection: close";
    else if (old_client_)
        output_ += "\r\nConnection: keep-alive";
    output_ += "\r\n\r\n";
}

void server_connection::put_head(response_head& head, std::optional<std::uint64_t> body_bytes) {
    begin_head(head.status);
    head.version = version::http_1_1;
    if (!head.fields.contains("Date")) head.fields.add("Date", date_now());
    if (has_no_body(head.status)) {
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

// The answer is complete: who left so much of the request unread will not read it.
void server_connection::give_up_unread_body(http::status status) noexcept {
    if (in_request_ && !is_interim(status) && parser_.body_bytes().value_or(0) > body_read_ + limits_.unread_body_max)
        keep_alive_ = false;
}

// All of a body that is in memory, copied behind its head; false: it is to be sent from where it is.
bool server_connection::gathers(std::string_view body) {
    if (skips_body_) return true;
    body_sent_ = body.size();
    const bool small = body.size() <= copied_bytes_max || (body.size() <= gathered_body_bytes_max && !input().empty());
    if (small) output_ += body;
    return small;
}

task<> server_connection::send_answer(std::string_view body) {
    std::array<iovec, 2> parts{net::part_of(std::as_bytes(std::span{output_})),
                               net::part_of(std::as_bytes(std::span{body}))};
    co_await send(parts);
    output_.clear();
}

ready_or_task<> server_connection::respond(response_head head, std::string_view body) {
    give_up_unread_body(head.status);
    put_head(head, body.size());
    if (gathers(body)) return {};
    return send_answer(body);
}

ready_or_task<> server_connection::respond(const prepared_head& head, std::string_view body) {
    give_up_unread_body(head.status());
    put_head(head);
    if (gathers(body)) return {};
    return send_answer(body);
}

void server_connection::begin_response(response_head head, std::optional<std::uint64_t> body_bytes) {
    put_head(head, body_bytes);
    announced_ = body_bytes.value_or(not_announced);
}

void server_connection::begin_response(const prepared_head& head) {
    put_head(head);
    announced_ = head.body_bytes();
}

task<> server_connection::write(std::span<const std::byte> part) {
    if (skips_body_ || part.empty()) co_return;
    if (announced_ - body_sent_ < part.size()) throw std::logic_error{"a response's body is longer than was announced"};
    const bool whole = body_sent_ + part.size() == announced_;
    body_sent_ += part.size();
    if (whole && part.size() <= gathered_body_bytes_max && !input().empty()) {
        output_ += as_text(part);
        co_return;
    }
    if (chunked_) output_ += chunk_line{part.size()}.text();
    std::array<iovec, 3> parts{net::part_of(std::as_bytes(std::span{output_})), net::part_of(part),
                               net::part_of(std::as_bytes(std::span{chunk_end}))};
    co_await send(std::span{parts}.first(chunked_ ? 3 : 2));
    output_.clear();
}

void server_connection::end_response() {
    if (chunked_ && !skips_body_) output_ += last_chunk;
    if (announced_ != not_announced && !skips_body_ && body_sent_ < announced_) {
        broken_ = true;
        keep_alive_ = false;
    }
    announced_ = not_announced;
    chunked_ = false;
}

}  // namespace ringlet::http
