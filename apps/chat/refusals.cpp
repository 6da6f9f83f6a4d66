// SPDX-License-Identifier: MIT
#include "chat/refusals.hpp"

#include "chat/addresses.hpp"
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

namespace chat {
namespace {

namespace sys = ringlet::io::sys;

// The error of the next refused datagram, 0 when there is none. Never waits.
int next_error(ringlet::io::fd_ref socket, ringlet::net::endpoint& meant) {
    alignas(cmsghdr) std::array<std::byte, 512> control;
    std::byte content;
    iovec part{&content, sizeof content};
    msghdr message{};
    message.msg_name = &meant.buffer();
    message.msg_namelen = ringlet::net::endpoint::buffer_bytes;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (sys::recvmsg(socket.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6) continue;
        sock_extended_err error;
        std::memcpy(&error, CMSG_DATA(c), sizeof error);
        return static_cast<int>(error.ee_errno);
    }
    return EIO;
}

}  // namespace

std::string refusal_text(const ringlet::net::endpoint& meant, int error) {
    const auto peer = without_mapping(meant);
    if (error == ECONNREFUSED) return fmt::format("connection refused: nobody listens at {} yet", peer);
    return fmt::format("{} cannot be reached: {}", peer, std::strerror(error));
}

refusals::refusals(ringlet::io::fd_ref socket, apps::printer& err) : socket_{socket}, err_{err} {
    const int on = 1;  // a socket for IPv6 may reach IPv4 peers, too; each option fails where it does not apply
    sys::setsockopt(socket.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    sys::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
}

refusals::~refusals() {
    if (quiet_) quiet_->cancel();
}

std::size_t refusals::report() {
    std::size_t count = 0;
    ringlet::net::endpoint meant;
    while (const int error = next_error(socket_, meant)) {
        add(meant, error);
        ++count;
    }
    return count;
}

void refusals::add(const ringlet::net::endpoint& meant, int error) {
    if (meant != meant_ || error != error_) {
        finish();
        quiet_.reset();
        meant_ = meant;
        error_ = error;
    }
    if (quiet_ && !quiet_->ready()) {
        ++unsaid_;
        return;
    }
    err_.line(refusal_text(meant_, error_));
    quiet_.emplace(ringlet::spawn(&refusals::be_quiet, this));
}

ringlet::task<> refusals::be_quiet() {
    co_await ringlet::sleep(std::chrono::seconds{1});
    finish();
}

void refusals::finish() {
    if (const auto more = std::exchange(unsaid_, 0); more > 0)
        err_.say("{} ({} more {})", refusal_text(meant_, error_), more, more == 1 ? "message" : "messages");
}

}  // namespace chat
