// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>

#include <cstdint>
#include <utility>

#include <netinet/in.h>

namespace ringlet::net {

/// An endpoint for those who keep many: IPv4 in eight bytes, IPv6 on the heap.
class compact_endpoint {
public:
    compact_endpoint() noexcept = default;
    /// Errors: std::bad_alloc, for IPv6.
    explicit compact_endpoint(const endpoint& from) {
        if (from.is_v4()) {
            const auto& v4 = reinterpret_cast<const sockaddr_in&>(from.address());
            bits_ = std::uint64_t{v4.sin_addr.s_addr} << 32 | std::uint64_t{v4.sin_port} << 16 | near;
        } else {
            bits_ = reinterpret_cast<std::uintptr_t>(new endpoint{from});
        }
    }
    compact_endpoint(compact_endpoint&& other) noexcept : bits_{std::exchange(other.bits_, near)} {}
    compact_endpoint& operator=(compact_endpoint&& other) noexcept {
        std::swap(bits_, other.bits_);
        return *this;
    }
    ~compact_endpoint() { delete far(); }

    /// Unspecified when nothing was put in, or that.
    endpoint get() const noexcept {
        if (const endpoint* other = far()) return *other;
        if (bits_ == near) return endpoint{};
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_addr.s_addr = static_cast<in_addr_t>(bits_ >> 32);
        v4.sin_port = static_cast<in_port_t>(bits_ >> 16);
        return endpoint{reinterpret_cast<const sockaddr&>(v4), sizeof v4};
    }

private:
    static constexpr std::uint64_t near = 1;  // no pointer ends in this bit
    const endpoint* far() const noexcept {
        return (bits_ & near) != 0 ? nullptr : reinterpret_cast<const endpoint*>(bits_);
    }
    std::uint64_t bits_ = near;
};

}  // namespace ringlet::net
