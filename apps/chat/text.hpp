// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

/// Bytes of text in a datagram, sent or shown: what fits through every network in one piece.
constexpr std::size_t message_bytes_max = 1200;

/// The parts in which a line is sent, each of `bytes_max` at most: none for an empty one; cut between characters.
std::vector<std::string_view> messages_of(std::string_view line, std::size_t bytes_max);

/// What is made of a nick that somebody chose: printable and short, without spaces at its ends. Empty when nothing is left.
std::string clean_nick(std::string_view wanted);

/// What is shown of a datagram, line by line, safe to print. `text` is its beginning, `full_bytes` its size. Line ends
/// at the end are not shown: nc sends one with each line. Of very many lines the first ones, and how many there are more.
std::vector<std::string> shown(std::string_view text, std::size_t full_bytes);

}  // namespace chat
