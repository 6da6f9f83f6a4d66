// SPDX-License-Identifier: MIT
#pragma once

#include "common/confined_open.hpp"
#include <ringlet/net/endpoint.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace comparison {

/// Who says nothing for so long, or takes nothing, is let go: in all models.
inline constexpr std::chrono::seconds patience{30};
/// Bytes that are received at a time: in all models.
inline constexpr std::size_t block_bytes = 4096;

/// For the models whose calls wait: the next connection, with `patience` as its limit for both directions. Goes on after
/// what passes; throws std::system_error otherwise.
int accept_waiting(int listener);
/// False: the peer has gone, or takes nothing, as errno says.
bool send_all(int socket, std::string_view text);

/// Answers go out at once, without waiting to be gathered (TCP_NODELAY): in all models.
void send_at_once(int socket);

/// The addresses of a host, by getaddrinfo(3), which waits and cannot be told to stop. Errors: std::system_error of net::errc,
/// as net::resolve.
std::vector<ringlet::net::endpoint> look_up(const std::string& host, std::uint16_t port);
/// A connection to the first of them that answers, with `patience` as its limit; none when that was exceeded. Throws
/// std::system_error when none answers.
apps::unique_fd connect_waiting(const std::string& host, std::uint16_t port);

/// For the others: the next connection, whose calls never wait; -1 where none stands in the queue.
int accept_at_once(int listener);

}  // namespace comparison
