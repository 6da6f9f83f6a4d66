// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>

#include <cstddef>
#include <cstdint>
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
        place(place&& other) noexcept
            : of_{std::exchange(other.of_, nullptr)}, count_{other.count_}, granted_{other.granted_} {}
        place& operator=(place&&) = delete;
        ~place();
        /// False: the address has as many as it may.
        explicit operator bool() const noexcept { return granted_; }

    private:
        friend class clients_by_address;
        place() noexcept = default;
        clients_by_address* of_ = nullptr;
        counts::value_type* count_ = nullptr;
        bool granted_ = true;
    };
    place enter(const ringlet::net::endpoint& peer);

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
