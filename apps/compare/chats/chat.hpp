// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/udp_socket.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

/// A chat of two over UDP, in two forms. What they say is here and in ringlet-chat's parts, the same for both; the forms
/// differ in how they wait for two things at once: for what comes, and for what is typed.
namespace comparison {

/// What a command line asks for.
struct chat_order {
    std::string host;
    std::uint16_t peer_port = 0;
    std::uint16_t port = 0;  ///< ours; 0: a free one
};

/// Both run until the input ends. Result: the exit status. Throw std::system_error and std::runtime_error.
int chat_thread(const chat_order& how);
int chat_coroutine(const chat_order& how);

/// A socket that hears nobody but this peer. Errors: those of udp_socket::connect, in clear words when the port is in use.
ringlet::net::udp_socket open_chat(const ringlet::net::endpoint& peer, std::uint16_t port);
std::string greeting(const ringlet::net::udp_socket& socket);

/// What is shown of a datagram, line by line, with its sender. `text` is its beginning, `full_bytes` its size. None for an
/// empty one.
std::vector<std::string> lines_of(const ringlet::net::endpoint& sender, std::span<const std::byte> text,
                                  std::size_t full_bytes);
/// The datagrams in which a line is sent: one, if it is not too long; none for an empty one.
std::vector<std::string_view> messages_of(std::string_view line);

/// What is said of errors. Thread: any.
class complaints {
public:
    explicit complaints(const ringlet::net::endpoint& peer) : peer_{peer} {}

    /// Of a datagram that has gone and was refused; nullopt when that was said within the last second.
    std::optional<std::string> refused(const std::error_code& why);
    /// Of one that could not be sent.
    std::string not_sent(const std::error_code& why) const;
    /// Of a line that is longer than any that is taken.
    static std::string too_long();

private:
    ringlet::net::endpoint peer_;
    std::mutex lock_;
    std::optional<std::chrono::steady_clock::time_point> said_;
};

/// A datagram of ours may be refused long after it was sent: the next call hears of it, and has done nothing else.
inline constexpr int send_tries = 4;

}  // namespace comparison
