// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/http/detail/spare_memory.hpp>
#include <ringlet/http/server_connection.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/send_file.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace ringlet::http {

using detail::record_bytes;
using detail::sealed_bytes_max;
using detail::sealed_room;
using detail::spare_outputs;

namespace {

// A file goes out in pieces of this size where it is read first.
constexpr std::size_t piece_bytes = std::size_t{256} * 1024;
// How long `close` waits for the peer to close once it has everything, so that the last answer is not lost to a reset.
constexpr auto linger_time = std::chrono::seconds{2};
constexpr auto linger_pause = std::chrono::milliseconds{100};

// What is read of a file before it is sent: room for one piece, which is not cleared, and stays for whoever is next.
class file_piece {
public:
    file_piece() noexcept = default;
    file_piece(const file_piece&) = delete;
    file_piece& operator=(const file_piece&) = delete;
    ~file_piece() {
        if (room_ && !spare_) spare_ = std::move(room_);
    }
    std::span<std::byte> first(std::uint64_t bytes) {
        if (!room_) room_ = spare_ ? std::move(spare_) : std::make_unique_for_overwrite<std::byte[]>(piece_bytes);
        return {room_.get(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes, piece_bytes))};
    }

private:
    static thread_local std::unique_ptr<std::byte[]> spare_;
    std::unique_ptr<std::byte[]> room_;
};
thread_local std::unique_ptr<std::byte[]> file_piece::spare_;

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
    tls_->output().reserve(sealed_room(std::min<std::uint64_t>(bytes_of(parts), sealed_bytes_max)));
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

// Without waiting, and so without the ring. What is not taken stays.
bool server_connection::send_at_once(int flags) {
    const ssize_t sent =
        io::sys::send(stream_.socket().get(), output_.data(), output_.size(), flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) output_.erase(0, static_cast<std::size_t>(sent));
    return output_.empty();
}

task<> server_connection::write_file(io::fd_ref file, std::uint64_t offset, std::uint64_t bytes,
                                     net::seen_pages* seen) {
    if (skips_body_ || bytes == 0) co_return;
    if (announced_ - body_sent_ < bytes) throw std::logic_error{"a response's body is longer than was announced"};
    keep_input();
    net::send_progress since{stream_.socket(), limits_.stall_time};
    file_piece room;
    while (bytes > 0) {
        if (!chunked_ && !tls_ && (output_.empty() || send_at_once(MSG_MORE))) {
            const std::uint64_t before = body_sent_;
            co_await net::send_file_from_memory(since, file, offset, bytes, body_sent_, seen);
            // One who asks anew after this is waited for, and lets others go on; one who has asked already is not.
            if (!input().empty()) co_await io::nop_op{};
            offset += body_sent_ - before;
            bytes -= body_sent_ - before;
            if (bytes == 0) co_return;
        }
        // What is sealed next had better still be in the processor's cache.
        const std::span<std::byte> piece = room.first(tls_ ? std::min<std::uint64_t>(bytes, sealed_bytes_max) : bytes);
        const std::size_t got = co_await io::read_op{file, piece, static_cast<std::int64_t>(offset)};
        if (got == 0) co_return;
        co_await write(piece.first(got));
        offset += got;
        bytes -= got;
    }
}

// May be cancelled, by a drain, and called again: no byte goes out twice.
task<> server_connection::transmit_all(std::string& text) {
    net::send_progress since{stream_.socket(), limits_.stall_time};
    while (!text.empty()) {
        const auto sent =
            co_await as_result(with_deadline(since.look(), io::send_op{stream_.socket(), ringlet::as_bytes(text)}));
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

// By its own word.
bool server_connection::peer_has_said_all() const noexcept {
    return client_closes_ && !broken_ && parser_.body_bytes() == 0 && !stream_.may_hold_more() && input().empty();
}

// Whether nothing is on its way that a reset could answer, and so destroy what we have sent.
bool server_connection::peer_sends_no_more() const noexcept {
    const bool is_idle = ended_idle_ && input().empty() && !stream_.keeps_some() && unread_bytes(stream_.socket()) == 0;
    return (peer_has_said_all() || is_idle) && net::unconfirmed_bytes(stream_.socket()) == 0;
}

task<> server_connection::close() {
    if (!output_.empty() && !tls_) {
        // In one packet with the end, if that may follow: it costs both sides less.
        const bool is_last = peer_has_said_all();
        if (send_at_once(is_last ? MSG_MORE : 0) && is_last) io::sys::shutdown(stream_.socket().get(), SHUT_WR);
    }
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
    for (bool peer_ended = false;;) {
        if (peer_ended) {
            co_await sleep(linger_pause);  // nothing tells when the rest of the answer has been taken
        } else {
            const result<io::buffer_lease> dropped = co_await as_result(with_deadline(end, stream_.recv_lease()));
            if (dropped && !dropped->empty() && clock::now() < end) continue;
            if (!dropped && dropped.error() != std::errc::timed_out) co_return;
            peer_ended = dropped && dropped->empty();
        }
        // A slow reader has more time, for as long as it takes something.
        if (net::unconfirmed_bytes(stream_.socket()) == 0) co_return;
        if (!since.goes_on()) since.stalled();
        end = deadline_after(linger_time);
    }
}

}  // namespace ringlet::http
