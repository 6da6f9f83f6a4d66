// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fetch {

/// The bytes from `begin` to before `end`, of which the first `done` are there.
struct segment {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  ///< unbounded_end while nobody knows
    std::uint64_t done = 0;

    [[nodiscard]] std::uint64_t next() const noexcept { return begin + done; }
    [[nodiscard]] bool complete() const noexcept { return next() == end; }
};

inline constexpr std::uint64_t unbounded_end = UINT64_MAX;

/// One version of a file on its server, and what of it has come.
struct part_state {
    std::string url;  ///< the one that was asked for, before redirects
    std::string
        validator;  ///< what to send as If-Range: a strong entity tag or a date; empty: it cannot be gone on with
    std::optional<std::uint64_t> total;
    std::vector<segment> segments;  ///< in order, without gaps, from 0 on; one at least
    bool trusts_length = false;     ///< not written down: the user's word of today
    bool end_is_certain = true;     ///< not written down: not so where a connection that was cut looks the same

    [[nodiscard]] bool resumable() const noexcept { return !validator.empty() || (trusts_length && total); }
    [[nodiscard]] std::uint64_t done_bytes() const noexcept;
    [[nodiscard]] bool complete() const noexcept { return total && done_bytes() == *total; }
};

/// A check of a text, FNV-1a: finds damage, not malice; who can write here can write the file itself.
[[nodiscard]] std::uint64_t check_of(std::string_view text) noexcept;

/// The text that stands beside a part, so that another run can go on. The line of each segment has a fixed length: it can be
/// written anew in place. A damaged text is told from a good one by checks in each line.
[[nodiscard]] std::string encode(const part_state& state);
/// Whether this begins as encode() does, or is what is left of it when nothing was written.
[[nodiscard]] bool looks_like_state(std::string_view text) noexcept;
/// nullopt for a text that encode() did not give.
[[nodiscard]] std::optional<part_state> decode(std::string_view text);

/// The line of one segment, and where it begins in encode().
[[nodiscard]] std::string segment_line(const segment& which);
[[nodiscard]] std::size_t segment_offset(const part_state& state, std::size_t index);

}  // namespace fetch
