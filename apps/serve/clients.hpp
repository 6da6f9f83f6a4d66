// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/tcp_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace serve {

/// How many connections each address has.
class clients_by_address {
    using counts = std::unordered_map<std::string, std::size_t>;

public:
    /// 0: as many as it likes, and nobody counts.
    explicit clients_by_address(std::size_t each_max) noexcept : each_max_{each_max} {}

    /// One connection, for as long as this lives.
    class place {
    public:
        place(place&& other) noexcept : of_{std::exchange(other.of_, nullptr)}, count_{other.count_} {}
        place& operator=(place&&) = delete;
        ~place();

    private:
        friend class clients_by_address;
        place() noexcept = default;
        clients_by_address* of_ = nullptr;
        counts::value_type* count_ = nullptr;
    };
    /// Nullopt: the address has as many as it may.
    std::optional<place> enter(const ringlet::net::tcp_stream& stream);

private:
    std::size_t each_max_;
    counts now_;  // its elements stay where they are
};

/// What was served, for the last line.
struct totals {
    std::uint64_t connections = 0;
    std::uint64_t requests = 0;
    std::uint64_t body_bytes = 0;
};
std::string summary(const totals& all);

}  // namespace serve
