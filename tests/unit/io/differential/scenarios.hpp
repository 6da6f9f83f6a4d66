// SPDX-License-Identifier: MIT
// What the scenarios of the differential test share. A scenario prepares its descriptors with ringlet::io::sys, so that the
// same one runs on the real kernel and on the simulated one, and writes a line for each result.
#pragma once

#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/message_receiver.hpp>
#include <ringlet/io/op/accept.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace ringlet_tests::differential {

using namespace ringlet::io;
using ringlet::as_result;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::with_timeout;

struct scenario {
    const char* name;
    task<> (*run)(std::string& log);
    /// Why it asks only real kernels; null where it asks the simulated one, too.
    const char* not_simulated = nullptr;
    /// Why it does not ask epoll.
    const char* not_epoll = nullptr;
};
std::vector<scenario> socket_scenarios();
std::vector<scenario> datagram_scenarios();
std::vector<scenario> file_scenarios();
std::vector<scenario> pipe_scenarios();
std::vector<scenario> standing_scenarios();

inline constexpr std::span<std::byte> nothing;
inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }

inline std::string as_word(std::size_t n) { return std::to_string(n); }
inline std::string as_word(unsigned n) { return std::to_string(n); }
inline std::string as_word(const owned_fd& fd) { return fd ? "fd" : "no fd"; }
inline std::string as_word(const buffer_lease& lease) {
    return "'" + std::string{reinterpret_cast<const char*>(lease.bytes().data()), lease.size()} + "'";
}
std::string as_word(const message_lease& lease);

/// Awaits the operation and gives "name: value" or "name: the error", with the end of the line.
template <class Operation>
task<std::string> said(std::string name, Operation operation) {
    auto outcome = co_await as_result(std::move(operation));
    name += ": ";
    if (!outcome)
        name += outcome.error().message();
    else if constexpr (std::is_void_v<typename Operation::value_type>)
        name += "done";
    else
        name += as_word(*outcome);
    name += '\n';
    co_return name;
}

template <class Operation>
task<> note(std::string& log, std::string name, Operation operation) {
    log += co_await said(std::move(name), std::move(operation));
}

/// Begins the operation, which is to wait. Its line is written by `join`, wherever it ended among the others.
template <class Operation>
ringlet::job<std::string> later(std::string name, Operation operation) {
    return spawn(said(std::move(name), std::move(operation)));
}
inline task<> join(std::string& log, ringlet::job<std::string>& waiting) { log += co_await waiting.get(); }

/// The operation has no end of its own, or must not have one.
template <class Operation>
task<> note_limit(std::string& log, std::string name, Operation operation,
                  std::chrono::milliseconds limit = std::chrono::milliseconds{2}) {
    const std::string text = co_await fate(with_timeout(limit, std::move(operation)));
    log += name + ": " + (contains(text, "time limit of") ? "limit" : text) + '\n';
}

/// What is on its way arrives: longer than the simulation's latency, there and back.
inline auto settle() { return sleep(std::chrono::milliseconds{2}); }

// --- descriptors ---

/// Two connected local sockets.
struct local_pair {
    local_pair();
    owned_fd a;
    owned_fd b;
};

struct pipe_pair {
    explicit pipe_pair(int flags = 0) {
        std::array<int, 2> ends{};
        REQUIRE(sys::pipe2(ends.data(), O_CLOEXEC | flags) == 0);
        out = owned_fd{ends[0]};
        in = owned_fd{ends[1]};
    }
    owned_fd out;
    owned_fd in;
};

/// An empty directory of its own.
struct folder {
    folder();
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder();
    owned_fd file(const char* name, int flags = O_RDWR | O_CREAT, std::string_view content = "") const;
    void directory(const char* name) const;
    void link(const char* target, const char* name) const;
    std::string path;
    owned_fd fd;
};

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}
inline owned_fd tcp_socket(int flags = 0) {
    return owned_fd{sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)};
}
inline owned_fd udp_socket(int flags = 0) {
    return owned_fd{sys::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0)};
}
inline sockaddr_in bind_to_loopback(const owned_fd& socket) {
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    REQUIRE(sys::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(sys::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    return address;
}
inline owned_fd listening(sockaddr_in& address, int flags = 0, int backlog = 10) {
    owned_fd socket = tcp_socket(flags);
    address = bind_to_loopback(socket);
    REQUIRE(sys::listen(socket.get(), backlog) == 0);
    return socket;
}
inline auto connect_to(const owned_fd& socket, const sockaddr_in& address) {
    return connect_op{socket, reinterpret_cast<const sockaddr&>(address), sizeof address};
}
inline void reset_on_close(const owned_fd& socket) {
    const linger now{1, 0};
    sys::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/// A TCP connection.
struct tcp_pair {
    owned_fd a;
    owned_fd b;
};
inline task<> make(tcp_pair& pair) {
    sockaddr_in address{};
    const owned_fd listener = listening(address);
    pair.a = tcp_socket();
    co_await connect_to(pair.a, address);
    pair.b = co_await accept_op{listener};
}

}  // namespace ringlet_tests::differential
