// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/http/writer.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringlet::http {
namespace {

// Answers to pipelined requests are gathered up to this size.
constexpr std::size_t gathered_bytes_max = 64 * 1024;
// A body this small is copied behind its head when another request waits already; sending it apart costs more.
constexpr std::size_t gathered_body_bytes_max = 16 * 1024;
// A file goes out in pieces of this size where it is read first.
constexpr std::size_t piece_bytes = std::size_t{256} * 1024;
// A body this small is copied behind its head in any case.
constexpr std::size_t copied_bytes_max = 2 * 1024;
// Plaintext of a TLS record (RFC 8446 section 5.1), and how much is sealed before it is sent.
constexpr std::size_t record_bytes = 16 * 1024;
constexpr std::size_t sealed_bytes_max = std::size_t{64} * 1024;
// How long `close` waits for the peer to close once it has everything, so that the last answer is not lost to a reset.
constexpr auto linger_time = std::chrono::seconds{2};
constexpr auto linger_pause = std::chrono::milliseconds{100};

constexpr parse_error too_slow{status::request_timeout, "the request took too long to come"};
constexpr parse_error ended_early{status::bad_request, "the request ended early"};

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

// Its memory, too; an assignment would keep it.
void give_back(std::string& text) noexcept { std::string{}.swap(text); }

// Memory of answers that are sent, for the next ones of any connection: who waits for a request holds none, and who has
// got one need not ask for it anew.
class spare_memory {
public:
    void put(std::string& text) noexcept {
        static const std::size_t without_memory = std::string{}.capacity();
        if (text.capacity() == without_memory) return;
        text.clear();
        if (count_ < texts_.size() && text.capacity() <= gathered_bytes_max) texts_[count_++] = std::move(text);
        give_back(text);
    }
    void take(std::string& into) noexcept {
        if (count_ > 0 && into.empty() && into.capacity() < texts_[count_ - 1].capacity())
            into = std::move(texts_[--count_]);
    }

private:
    std::array<std::string, 128> texts_;
    std::size_t count_ = 0;
};
thread_local spare_memory spare_outputs;

std::span<const std::byte> as_bytes_of(const iovec& part) noexcept {
    return {static_cast<const std::byte*>(part.iov_base), part.iov_len};
}

// What is left of `parts` when `taken` bytes are gone. The array then says so, too: what is gone has no bytes.
std::span<iovec> rest_of(std::span<iovec> parts, std::size_t taken) noexcept {
    while (!parts.empty() && taken >= parts.front().iov_len) {
        taken -= std::exchange(parts.front().iov_len, 0);
        parts = parts.subspan(1);
    }
    if (taken > 0) parts.front() = net::part_of(as_bytes_of(parts.front()).subspan(taken));
    return parts;
}

std::uint64_t bytes_of(std::span<const iovec> parts) noexcept {
    std::uint64_t bytes = 0;
    for (const iovec& part : parts) bytes += part.iov_len;
    return bytes;
}

int unread_bytes(io::fd_ref socket) noexcept {
    int bytes = 0;
    return io::sys::ioctl(socket.get(), SIOCINQ, &bytes) == 0 ? bytes : 0;
}

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

task<request_head*> server_connection::next_request() {
    if (!keep_alive_ || broken_) co_return nullptr;
    if (in_request_) {
        const bool in_step = co_await drop_body();
        if (!in_step) co_return nullptr;
    }
    head_only_ = false;
    deadline idle_end = deadline::max();  // one for the whole wait: empty lines before a request do not extend it
    deadline head_end = deadline::max();
    for (;;) {
        const parse_result found = parser_.feed(input());
        consume(found.consumed);
        if (found.what == event::head) break;
        if (found.what == event::error) {
            refuse(parser_.error());
            co_return nullptr;
        }
        if (found.what != event::need_more) continue;
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
    request_head& head = parser_.head();
    in_request_ = true;
    head_only_ = head.method == method::head;
    old_client_ = head.version == version::http_1_0;
    must_continue_ = parser_.expects_continue();
    client_closes_ = !parser_.keep_alive();
    keep_alive_ = keep_alive_ && !client_closes_;
    body_read_ = 0;
    body_sent_ = 0;
    answered_.reset();
    if (parser_.body_bytes() == 0) {
        parser_.feed({});  // its end
        in_request_ = false;
    } else if (!limits_.wants_bodies) {
        const bool sound = co_await take_unwanted_body();
        if (!sound) co_return nullptr;
    }
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
    output_ += "Date: ";
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

task<> server_connection::respond(response_head head, std::string_view body) {
    give_up_unread_body(head.status);
    put_head(head, body.size());
    if (!gathers(body))
        co_await send_answer(body);
    else if (output_.size() >= gathered_bytes_max)
        co_await flush();
}

task<> server_connection::respond(const prepared_head& head, std::string_view body) {
    give_up_unread_body(head.status());
    put_head(head);
    if (!gathers(body))
        co_await send_answer(body);
    else if (output_.size() >= gathered_bytes_max)
        co_await flush();
}

task<> server_connection::begin_response(response_head head, std::optional<std::uint64_t> body_bytes) {
    put_head(head, body_bytes);
    announced_ = body_bytes.value_or(not_announced);
    co_return;
}

task<> server_connection::begin_response(const prepared_head& head) {
    put_head(head);
    announced_ = head.body_bytes();
    co_return;
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

task<> server_connection::end_response() {
    if (chunked_ && !skips_body_) output_ += last_chunk;
    if (announced_ != not_announced && !skips_body_ && body_sent_ < announced_) {
        broken_ = true;
        keep_alive_ = false;
    }
    announced_ = not_announced;
    chunked_ = false;
    if (output_.size() >= gathered_bytes_max) co_await flush();
}

// Before a send, which may wait for a slow reader: gives the loop's buffer back.
void server_connection::keep_input() {
    if (lease_.empty()) return;
    const auto unread = lease_.bytes();
    kept_ = std::make_unique<kept_input>();
    kept_->bytes = as_text(unread);
    lease_.release();
}

// Takes back what the kernel did not take of an answer's body, which comes last, when a send ends early.
class server_connection::unsent {
public:
    unsent(server_connection& of, const std::span<iovec>& parts) noexcept : of_{of}, parts_{parts} {}
    unsent(const unsent&) = delete;
    unsent& operator=(const unsent&) = delete;
    ~unsent() { of_.body_sent_ -= std::min(of_.body_sent_, bytes_of(parts_)); }

private:
    server_connection& of_;
    const std::span<iovec>& parts_;
};

task<> server_connection::send(std::span<iovec> parts) {
    keep_input();
    if (tls_) return send_sealed(parts);
    return transmit(parts);
}

// In full records: a head and the body behind it share one.
task<> server_connection::send_sealed(std::span<iovec> parts) {
    const unsent rest{*this, parts};
    std::string record;
    spare_outputs.take(tls_->output());
    while (!parts.empty()) {
        const auto bytes = as_bytes_of(parts.front());
        std::size_t taken = 0;
        if (record.empty() && (bytes.size() >= record_bytes || parts.size() == 1)) {
            taken = std::min(bytes.size(), sealed_bytes_max);
            if (parts.size() > 1) taken -= taken % record_bytes;
            tls_->write(bytes.first(taken));
        } else {
            taken = std::min(bytes.size(), record_bytes - record.size());
            record += as_text(bytes.first(taken));
        }
        parts = rest_of(parts, taken);
        if (record.size() == record_bytes || (parts.empty() && !record.empty())) {
            tls_->write(ringlet::as_bytes(record));
            record.clear();
        }
        if (tls_->output().size() >= sealed_bytes_max || parts.empty()) co_await transmit_all(tls_->output());
    }
}

task<> server_connection::transmit(std::span<iovec> parts) {
    net::send_progress since{stream_.socket(), limits_.stall_time};
    const unsent rest{*this, parts};
    while (!parts.empty()) {
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        const auto sent = co_await as_result(with_deadline(since.look(), io::sendmsg_op{stream_.socket(), message}));
        if (!sent && sent.error() != std::errc::timed_out) throw std::system_error{sent.error(), "send"};
        if (sent) {
            since.handed_over(*sent);
            parts = rest_of(parts, *sent);
            if (parts.empty()) co_return;
        }
        if (!since.goes_on()) since.stalled();
    }
}

// The head in front of a file; it waits in the kernel for the first bytes of the body. What is not taken stays.
bool server_connection::send_head_at_once() {
    const ssize_t sent =
        io::sys::send(stream_.socket().get(), output_.data(), output_.size(), MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) output_.erase(0, static_cast<std::size_t>(sent));
    return output_.empty();
}

task<> server_connection::write_file(io::fd_ref file, std::uint64_t offset, std::uint64_t bytes,
                                     net::seen_pages* seen) {
    if (skips_body_ || bytes == 0) co_return;
    if (announced_ - body_sent_ < bytes) throw std::logic_error{"a response's body is longer than was announced"};
    keep_input();
    net::send_progress since{stream_.socket(), limits_.stall_time};
    std::vector<std::byte> piece;
    while (bytes > 0) {
        if (!chunked_ && !tls_ && (output_.empty() || send_head_at_once())) {
            const std::uint64_t before = body_sent_;
            co_await net::send_file_from_memory(since, file, offset, bytes, body_sent_, seen);
            // One who asks anew after this is waited for, and lets others go on; one who has asked already is not.
            if (!input().empty()) co_await yield();
            offset += body_sent_ - before;
            bytes -= body_sent_ - before;
            if (bytes == 0) co_return;
        }
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, piece_bytes)));
        const std::size_t got = co_await io::read_op{file, piece, static_cast<std::int64_t>(offset)};
        if (got == 0) co_return;
        co_await write(std::span{piece}.first(got));
        offset += got;
        bytes -= got;
    }
}

// May be cancelled, by a drain, and called again: no byte goes out twice.
task<> server_connection::transmit_all(std::string& text) {
    net::send_progress since{stream_.socket(), limits_.stall_time};
    while (!text.empty()) {
        const auto sent = co_await as_result(with_deadline(since.look(), stream_.send(ringlet::as_bytes(text))));
        if (!sent && sent.error() != std::errc::timed_out) throw std::system_error{sent.error(), "send"};
        if (sent) {
            since.handed_over(*sent);
            text.erase(0, *sent);
            if (text.empty()) co_return;
        }
        if (!since.goes_on()) since.stalled();
    }
}

task<> server_connection::flush() {
    if (tls_ && !output_.empty()) {
        spare_outputs.take(tls_->output());
        tls_->write(ringlet::as_bytes(output_));
        output_.clear();
    }
    std::string& waiting = tls_ ? tls_->output() : output_;
    if (!waiting.empty()) keep_input();
    return transmit_all(waiting);
}

// Whether nothing is on its way that a reset could answer, and so destroy what we have sent.
bool server_connection::peer_sends_no_more() const noexcept {
    const bool says_so = client_closes_ && !broken_ && parser_.body_bytes() == 0 && !stream_.may_hold_more();
    return (says_so || (ended_idle_ && unread_bytes(stream_.socket()) == 0)) && input().empty() &&
           net::unconfirmed_bytes(stream_.socket()) == 0;
}

task<> server_connection::close() {
    co_await flush();
    if (tls_) {
        tls_->close();
        co_await flush();
    }
    spare_outputs.put(output_);
    if (peer_sends_no_more()) {
        stream_.close();
        co_return;
    }
    lease_.release();
    kept_.reset();
    co_await linger();
}

// Until the peer has all that was sent, and has closed or had time to.
task<> server_connection::linger() {
    // At once and not by the ring, which would send it to another thread.
    if (io::sys::shutdown(stream_.socket().get(), SHUT_WR) != 0) co_return;
    net::send_progress since{stream_.socket(), limits_.stall_time};
    deadline end = deadline_after(linger_time);
    std::array<std::byte, 4096> dropped;
    for (bool peer_ended = false;;) {
        if (peer_ended) {
            co_await sleep(linger_pause);  // nothing tells when the rest of the answer has been taken
        } else {
            const result<std::size_t> got = co_await as_result(with_deadline(end, stream_.recv(dropped)));
            if (got && *got > 0 && clock::now() < end) continue;
            if (!got && got.error() != std::errc::timed_out) co_return;
            peer_ended = got && *got == 0;
        }
        // A slow reader has more time, for as long as it takes something.
        if (net::unconfirmed_bytes(stream_.socket()) == 0) co_return;
        if (!since.goes_on()) since.stalled();
        end = deadline_after(linger_time);
    }
}

}  // namespace ringlet::http
