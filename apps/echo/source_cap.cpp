// SPDX-License-Identifier: MIT
#include "echo/source_cap.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include <netinet/in.h>

namespace echo {
namespace {

constexpr std::chrono::nanoseconds second = std::chrono::seconds{1};

std::uint64_t owner_of(const ringlet::net::endpoint& source) noexcept {
    std::uint64_t owner = 0;
    if (source.is_v4()) {
        std::memcpy(&owner, &reinterpret_cast<const sockaddr_in&>(source.address()).sin_addr, 4);
        return owner;
    }
    const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(source.address()).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address))
        std::memcpy(&owner, address.s6_addr + 12, 4);
    else
        std::memcpy(&owner, address.s6_addr, sizeof owner);
    return owner;
}

}  // namespace

source_cap::source_cap(std::uint32_t per_second) {
    if (per_second == 0) return;
    interval_ = second / per_second;
    std::random_device random;
    secret_ = std::uint64_t{random()} << 32 | random();
    places_ = std::make_unique<std::int64_t[]>(places);
}

std::size_t source_cap::place_of(const ringlet::net::endpoint& source) const noexcept {
    std::uint64_t mixed = (owner_of(source) ^ secret_) * 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 32) * (secret_ | 1);
    return static_cast<std::size_t>(mixed >> 48);
}

bool source_cap::admits(const ringlet::net::endpoint& source, ringlet::clock::time_point now) noexcept {
    if (!active()) return true;
    std::int64_t& whole_at = places_[place_of(source)];
    const std::int64_t since = std::max(whole_at, now.time_since_epoch().count());
    const std::int64_t then = since + interval_.count();
    if (then - now.time_since_epoch().count() > second.count()) return false;
    whole_at = then;
    return true;
}

}  // namespace echo
