// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/net/multishot_udp_socket.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <sys/socket.h>
#include <sys/uio.h>

namespace echo {

/// Datagrams on their way back: those of one turn of the loop go out with one system call, from where they lie and from the
/// address that was asked.
class reply_batch {
public:
    static constexpr unsigned capacity = 64;

    explicit reply_batch(ringlet::io::fd_ref socket) noexcept : socket_{socket} {}
    reply_batch(const reply_batch&) = delete;
    reply_batch& operator=(const reply_batch&) = delete;

    bool full() const noexcept { return count_ == capacity; }
    void add(ringlet::net::datagram_lease datagram) noexcept;

    /// Sends what was added. Calls `told(datagram, error)` for each, with no error when it was sent.
    template <class F>
    ringlet::task<> send(F told) {
        for (;;) {
            send_some(told);
            if (done_ == count_) break;
            const std::error_code error = co_await send_when_possible();
            told(datagrams_[done_], error);
            ++done_;
        }
        clear();
    }
    /// The same, as far as it goes without waiting. Result: whether all is done; else send() goes on.
    template <class F>
    bool try_send(F&& told) {
        send_some(told);
        if (done_ != count_) return false;
        clear();
        return true;
    }

private:
    template <class F>
    void send_some(F&& told) {
        while (done_ != count_) {
            const int sent = send_at_once();
            if (sent < 0 && has_to_wait(errno)) return;
            const unsigned first = done_;
            const std::error_code error{sent < 0 ? errno : 0, std::generic_category()};
            done_ += sent < 0 ? 1 : static_cast<unsigned>(sent);
            for (unsigned i = first; i != done_; ++i) told(datagrams_[i], error);
        }
    }
    static bool has_to_wait(int error) noexcept;
    int send_at_once() noexcept;
    ringlet::task<std::error_code> send_when_possible();
    void clear() noexcept;

    ringlet::io::fd_ref socket_;
    unsigned count_ = 0;
    unsigned done_ = 0;
    std::array<ringlet::net::datagram_lease, capacity> datagrams_;
    std::array<iovec, capacity> parts_;
    std::array<mmsghdr, capacity> messages_;
};

}  // namespace echo
