// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace comparison {

/// Who says nothing for so long, or takes nothing, is let go: in all models.
inline constexpr std::chrono::seconds patience{30};
/// Bytes that are received at a time: in all models.
inline constexpr std::size_t block_bytes = 4096;

/// For the models whose calls wait: the next connection, with `patience` as its limit for both directions. Goes on after
/// what passes; throws std::system_error otherwise.
int accept_waiting(int listener);
/// False: the peer has gone, or takes nothing.
bool send_all(int socket, std::string_view text);

/// Answers go out at once, without waiting to be gathered (TCP_NODELAY): in all models.
void send_at_once(int socket);

/// For the others: the next connection, whose calls never wait; -1 where none stands in the queue.
int accept_at_once(int listener);

}  // namespace comparison
