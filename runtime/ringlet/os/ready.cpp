// SPDX-License-Identifier: MIT
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/ready.hpp>

#include <cerrno>
#include <string>
#include <system_error>

#include <poll.h>
#include <sys/epoll.h>

namespace ringlet::os {
namespace {

std::system_error failed(int error, io::fd_ref fd) {
    return std::system_error{error, std::generic_category(), "poll " + io::detail::describe_fd(fd.get())};
}

bool is_ready(io::fd_ref fd, unsigned events) noexcept {
    pollfd one{fd.get(), static_cast<short>(events), 0};
    return io::sys::poll(&one, 1, 0) != 0;
}

// A terminal has two wait queues. When it wakes the poll and nothing is there (its mode was changed, the program was
// stopped and continued), Linux up to 6.18 at least queues it again, counts three, and gives EINVAL. An epoll descriptor
// has one; it wakes with nothing there, too, and the kernel takes its word.
task<> ready(io::fd_ref fd, unsigned events) {
    io::owned_fd around;
    do {
        if (around) {
            co_await io::poll_op{around, POLLIN};
            continue;
        }
        const result<unsigned> found = co_await as_result(io::poll_op{fd, events});
        if (found) continue;
        if (found.error() != std::errc::invalid_argument) throw failed(found.error().value(), fd);
        around = io::owned_fd{io::sys::epoll_create1(EPOLL_CLOEXEC)};
        epoll_event event{};
        event.events = events;  // EPOLLIN and EPOLLOUT are POLLIN and POLLOUT
        if (!around || io::sys::epoll_ctl(around.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) throw failed(errno, fd);
    } while (!is_ready(fd, events));
}

}  // namespace

task<> readable(io::fd_ref fd) { return ready(fd, POLLIN); }
task<> writable(io::fd_ref fd) { return ready(fd, POLLOUT); }

}  // namespace ringlet::os
