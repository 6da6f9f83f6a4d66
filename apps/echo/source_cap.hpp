// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace echo {

/// At most so many answers a second to each source, after at most a second's worth at once. A source is an IPv4 address, or
/// the 64 bits of an IPv6 address that one owner has at least.
///
/// The table has a fixed size, whoever asks: sources that fall into one place, which a secret number decides, share its
/// allowance. So what is forged can never free an allowance that was used up, and at worst one is answered too little.
class source_cap {
public:
    static constexpr std::size_t places = 65536;

    /// 0 a second: no cap.
    explicit source_cap(std::uint32_t per_second);

    bool active() const noexcept { return places_ != nullptr; }
    /// Whether this source may be answered now; counts it when it may.
    bool admits(const ringlet::net::endpoint& source, ringlet::clock::time_point now) noexcept;

private:
    std::size_t place_of(const ringlet::net::endpoint& source) const noexcept;

    std::chrono::nanoseconds interval_{0};
    std::uint64_t secret_ = 0;
    // For each place when its allowance will be whole again. Memory that is not touched is not there.
    std::unique_ptr<std::int64_t[]> places_;
};

}  // namespace echo
