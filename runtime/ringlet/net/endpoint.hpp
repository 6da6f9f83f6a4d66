// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

namespace ringlet::net {

/// An address and a port: IPv4, or IPv6 with its scope. A value of 28 bytes that the kernel reads and writes as it is.
/// The default one is unspecified: it belongs to no family and names nothing.
class endpoint {
public:
    enum class family_type : std::uint8_t { unspecified, ipv4, ipv6 };

    endpoint() noexcept : v6_{} {}
    /// From what the kernel or a resolver filled; unspecified when the family is another one or `length` too short.
    endpoint(const sockaddr& address, socklen_t length) noexcept;

    static endpoint v4(const std::array<std::uint8_t, 4>& address, std::uint16_t port) noexcept;
    static endpoint v6(const std::array<std::uint8_t, 16>& address, std::uint16_t port,
                       std::uint32_t scope_id = 0) noexcept;
    static endpoint loopback_v4(std::uint16_t port) noexcept { return v4({127, 0, 0, 1}, port); }
    static endpoint loopback_v6(std::uint16_t port) noexcept;
    static endpoint any_v4(std::uint16_t port) noexcept { return v4({0, 0, 0, 0}, port); }
    static endpoint any_v6(std::uint16_t port) noexcept { return v6({}, port); }

    /// "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80". Strict: the whole text, four decimal numbers without leading
    /// zeros, a port from 0 to 65535. Names are not looked up.
    static std::optional<endpoint> try_parse(std::string_view text) noexcept;
    /// As try_parse; throws std::invalid_argument, whose text quotes what was wrong.
    static endpoint parse(std::string_view text);
    /// A numeric address alone, "127.0.0.1", "::1" or "fe80::1%eth0", without brackets.
    static std::optional<endpoint> try_parse_address(std::string_view address, std::uint16_t port) noexcept;

    family_type family() const noexcept;
    bool is_v4() const noexcept { return base_.sa_family == AF_INET; }
    bool is_v6() const noexcept { return base_.sa_family == AF_INET6; }
    std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    std::uint32_t scope_id() const noexcept { return is_v6() ? v6_.sin6_scope_id : 0; }
    bool is_loopback() const noexcept;
    /// 0.0.0.0 or [::]: every address of this machine.
    bool is_any() const noexcept;

    /// "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80"; "(no address)" when unspecified.
    std::string to_string() const;
    /// The address alone, without brackets and port.
    std::string address_text() const;

    const sockaddr& address() const noexcept { return base_; }
    socklen_t length() const noexcept;
    /// Room for the kernel to write an address into.
    sockaddr& buffer() noexcept { return base_; }
    static constexpr socklen_t buffer_bytes = sizeof(sockaddr_in6);

    friend bool operator==(const endpoint& a, const endpoint& b) noexcept { return (a <=> b) == 0; }
    /// IPv4 before IPv6, then by address, port, scope.
    friend std::strong_ordering operator<=>(const endpoint& a, const endpoint& b) noexcept;
    std::size_t hash() const noexcept;

private:
    union {
        sockaddr base_;
        sockaddr_in v4_;
        sockaddr_in6 v6_;
    };
};
static_assert(sizeof(endpoint) == 28);

/// A port number: digits only, 0 to 65535.
std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;

/// "127.0.0.1:80" of the local or remote end of a socket; unspecified when there is none.
endpoint local_endpoint_of(int socket) noexcept;
endpoint peer_endpoint_of(int socket) noexcept;

}  // namespace ringlet::net

template <>
struct std::hash<ringlet::net::endpoint> {
    std::size_t operator()(const ringlet::net::endpoint& e) const noexcept { return e.hash(); }
};

template <>
struct fmt::formatter<ringlet::net::endpoint> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const ringlet::net::endpoint& e, Context& context) const {
        return fmt::formatter<std::string_view>::format(e.to_string(), context);
    }
};
