// SPDX-License-Identifier: MIT
#include "load/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace bench {

pattern::pattern(std::size_t message_bytes) : message_bytes_{message_bytes}, table_(65536 + message_bytes) {
    std::mt19937 random{20240229};
    for (std::byte& byte : table_) byte = static_cast<std::byte>(random() >> 24);
}

std::optional<std::string> pattern::mismatch(std::uint32_t connection, std::uint64_t sequence, std::size_t offset,
                                             std::span<const std::byte> received) const {
    const std::size_t compared = std::min(received.size(), message_bytes_ - offset);
    const auto expected = message(connection, sequence).subspan(offset, compared);
    if (std::memcmp(expected.data(), received.data(), compared) != 0) {
        const auto wrong = std::mismatch(expected.begin(), expected.end(), received.begin());
        return fmt::format("wrong byte: connection {}, message {}, byte {}: expected 0x{:02x}, received 0x{:02x}",
                           connection, sequence, offset + static_cast<std::size_t>(wrong.first - expected.begin()),
                           std::to_integer<unsigned>(*wrong.first), std::to_integer<unsigned>(*wrong.second));
    }
    if (compared < received.size())
        return fmt::format("surplus bytes: connection {}, message {}: {} more than were sent", connection, sequence,
                           received.size() - compared);
    return std::nullopt;
}

}  // namespace bench
