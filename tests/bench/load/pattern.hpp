// SPDX-License-Identifier: MIT
// What every byte of every message must be. Message `sequence` of connection `connection` is a window into one table of
// random bytes, at a place that both numbers decide: sent from where it lies, compared with memcmp, and a byte that is
// wrong, missing, doubled or of another message shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bench {

class pattern {
public:
    explicit pattern(std::size_t message_bytes);

    [[nodiscard]] std::span<const std::byte> message(std::uint32_t connection, std::uint64_t sequence) const {
        const std::uint64_t mixed = (sequence * 0x9e3779b97f4a7c15 + connection) * 0xd1342543de82ef95;
        return {table_.data() + (mixed >> 48), message_bytes_};
    }

    /// Compares bytes received from `offset` of a message on; a text that says what is wrong, or nothing.
    [[nodiscard]] std::optional<std::string> mismatch(std::uint32_t connection, std::uint64_t sequence,
                                                      std::size_t offset, std::span<const std::byte> received) const;

private:
    std::size_t message_bytes_;
    std::vector<std::byte> table_;
};

}  // namespace bench
