// SPDX-License-Identifier: MIT
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/send_file.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <span>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringlet::net {
namespace {

// Where it is not read first, a file goes out at once up to this size, longer ones in pieces that do not hold up others.
constexpr std::uint64_t sent_at_once_max = std::uint64_t{1} << 20;
constexpr std::uint64_t sendfile_bytes = std::uint64_t{512} << 10;
// Where it is, in pieces of this size.
constexpr std::size_t piece_bytes = std::size_t{256} * 1024;

// Short enough that a socket's buffer does not run dry.
constexpr std::chrono::microseconds until_looking_again{500};

constexpr std::chrono::milliseconds pages_stay{100};

bool is_in_memory(io::fd_ref file, std::uint64_t offset, std::uint64_t bytes) noexcept {
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::uint64_t pages = 0;
    return io::sys::cachestat(file.get(), offset, bytes, &pages) == 0 &&
           pages >= (offset + bytes - 1) / page - offset / page + 1;
}

// By a reset, after which the kernel goes on counting what it had.
bool is_closed_by_peer(io::fd_ref socket) noexcept {
    std::uint8_t state = 0;  // the first member of tcp_info
    socklen_t length = sizeof state;
    return io::sys::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &state, &length) == 0 && state == TCP_CLOSE;
}

// sendfile(2) hands over 64 KiB at a time, and each would go out by itself: for long parts a fifth more work than to make them
// wait for each other, for short ones less than the two system calls are.
constexpr std::uint64_t corked_bytes_min = std::uint64_t{256} << 10;

void set_cork(io::fd_ref socket, int on) noexcept {
    io::sys::setsockopt(socket.get(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

// sendfile(2) that never waits. The flag is the socket's, and requests on the ring must not meet it: it is taken back before
// any is submitted.
ssize_t send_file_at_once(io::fd_ref socket, io::fd_ref file, std::uint64_t offset, std::uint64_t bytes) noexcept {
    if (io::sys::fcntl(socket.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) return -1;
    auto from = static_cast<off_t>(offset);
    if (bytes >= corked_bytes_min) set_cork(socket, 1);
    const ssize_t sent = io::sys::sendfile(socket.get(), file.get(), &from, bytes);
    const int error = errno;
    if (bytes >= corked_bytes_min) set_cork(socket, 0);
    io::sys::fcntl(socket.get(), F_SETFL, O_RDWR);
    errno = error;
    return sent;
}

// To the end here: where a part is read first its time begins anew, and this reader has had some.
task<> until_it_takes_more(send_progress& to) {
    for (;;) {
        const auto ready = co_await as_result(with_deadline(to.look(), io::poll_op{to.socket(), POLLOUT}));
        if (!ready && ready.error() != std::errc::timed_out) throw std::system_error{ready.error(), "send"};
        if (!to.goes_on()) to.stalled();
        if (ready && (*ready & ~unsigned{POLLRDHUP}) != 0) co_return;
        // The ring tells of a peer that will send nothing more whether it is asked for or not, and again at once.
        if (ready) co_return co_await sleep(until_looking_again);
    }
}

task<> send_piece(send_progress& to, std::span<const std::byte> piece, std::uint64_t& sent) {
    while (!piece.empty()) {
        const auto taken = co_await as_result(with_deadline(to.look(), io::send_op{to.socket(), piece}));
        if (!taken && taken.error() != std::errc::timed_out) throw std::system_error{taken.error(), "send"};
        if (taken) {
            to.handed_over(*taken);
            sent += *taken;
            piece = piece.subspan(*taken);
        }
        if (!to.goes_on()) to.stalled();
    }
}

}  // namespace

bool seen_pages::cover(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    return begin_ <= offset && offset + bytes <= end_ && clock::coarse_now() < until_;
}

void seen_pages::add(std::uint64_t offset, std::uint64_t bytes) noexcept {
    const deadline now = clock::coarse_now();
    if (offset != end_ || now >= until_) {
        begin_ = offset;
        until_ = now + pages_stay;
    }
    end_ = offset + bytes;
}

int unconfirmed_bytes(io::fd_ref socket) noexcept {
    int bytes = 0;
    if (io::sys::ioctl(socket.get(), SIOCOUTQ, &bytes) != 0 || bytes == 0) return 0;
    return is_closed_by_peer(socket) ? 0 : bytes;
}

send_progress::send_progress(io::fd_ref socket, std::chrono::nanoseconds limit) noexcept
    : socket_{socket}, limit_{limit}, look_{coarse_deadline_after(limit)} {}

bool send_progress::goes_on() noexcept {
    if (clock::coarse_now() < look_) return true;
    const std::int64_t confirmed = handed_over_ - unconfirmed_bytes(socket_);
    const bool stands_still = confirmed_before_ && confirmed <= *confirmed_before_;
    confirmed_before_ = confirmed;
    look_ = coarse_deadline_after(limit_);
    return !stands_still;
}

void send_progress::stalled() const {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    io::sys::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    throw std::system_error{make_error_code(std::errc::timed_out), "send"};
}

task<> send_file_from_memory(send_progress& to, io::fd_ref file, std::uint64_t offset, std::uint64_t bytes,
                             std::uint64_t& sent, seen_pages* seen) {
    std::uint64_t looked_at = offset;  // up to here it was in memory a moment ago
    while (bytes > 0) {
        if (offset >= looked_at) {
            const std::uint64_t piece = bytes <= sent_at_once_max ? bytes : sendfile_bytes;
            if (!seen || !seen->cover(offset, piece)) {
                if (!is_in_memory(file, offset, piece)) break;
                if (seen) seen->add(offset, piece);
            }
            looked_at = offset + piece;
        }
        const ssize_t taken = send_file_at_once(to.socket(), file, offset, looked_at - offset);
        if (taken == 0) break;  // the file has become shorter
        if (taken > 0) {
            sent += static_cast<std::uint64_t>(taken);
            offset += static_cast<std::uint64_t>(taken);
            bytes -= static_cast<std::uint64_t>(taken);
            to.handed_over(static_cast<std::size_t>(taken));
            // A fast reader takes as fast as we send, and others are not to wait for it.
            if (bytes > 0) co_await io::nop_op{};
        } else if (errno == EAGAIN || errno == EINTR) {
            co_await until_it_takes_more(to);
        } else {
            throw std::system_error{errno, std::generic_category(), "send"};
        }
        if (!to.goes_on()) to.stalled();
    }
}

task<> send_file(send_progress& to, io::fd_ref file, std::uint64_t offset, std::uint64_t bytes, std::uint64_t& sent) {
    const std::uint64_t before = sent;
    std::vector<std::byte> piece;
    for (;;) {
        const std::uint64_t done = sent - before;
        co_await send_file_from_memory(to, file, offset + done, bytes - done, sent);
        const std::uint64_t at = sent - before;
        if (at == bytes) co_return;
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(bytes - at, piece_bytes)));
        const std::size_t got = co_await io::read_op{file, piece, static_cast<std::int64_t>(offset + at)};
        if (got == 0) co_return;
        co_await send_piece(to, std::span{piece}.first(got), sent);
    }
}

}  // namespace ringlet::net
