// SPDX-License-Identifier: MIT
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/endpoint.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <net/if.h>

namespace ringlet::net {
namespace {

// inet_pton and if_nametoindex want terminated strings; 64 bytes hold the longest address with a scope.
using small_text = std::array<char, 64>;

bool copy_terminated(std::string_view text, small_text& into) noexcept {
    if (text.empty() || text.size() >= into.size() || text.find('\0') != text.npos) return false;
    *std::copy(text.begin(), text.end(), into.begin()) = '\0';
    return true;
}

std::optional<std::uint32_t> parse_scope(std::string_view text) noexcept {
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error == std::errc{} && end == text.data() + text.size()) return id;
    small_text name;
    if (!copy_terminated(text, name)) return std::nullopt;
    id = ::if_nametoindex(name.data());
    return id == 0 ? std::nullopt : std::optional{id};
}

}  // namespace

endpoint::endpoint(const sockaddr& address, socklen_t length) noexcept : v6_{} {
    if (address.sa_family == AF_INET && length >= sizeof(sockaddr_in))
        std::memcpy(&v4_, &address, sizeof(sockaddr_in));
    else if (address.sa_family == AF_INET6 && length >= sizeof(sockaddr_in6))
        std::memcpy(&v6_, &address, sizeof(sockaddr_in6));
}

endpoint endpoint::v4(const std::array<std::uint8_t, 4>& address, std::uint16_t port) noexcept {
    endpoint e;
    e.v4_.sin_family = AF_INET;
    e.v4_.sin_port = htons(port);
    std::memcpy(&e.v4_.sin_addr, address.data(), address.size());
    return e;
}

endpoint endpoint::v6(const std::array<std::uint8_t, 16>& address, std::uint16_t port,
                      std::uint32_t scope_id) noexcept {
    endpoint e;
    e.v6_.sin6_family = AF_INET6;
    e.v6_.sin6_port = htons(port);
    std::memcpy(&e.v6_.sin6_addr, address.data(), address.size());
    e.v6_.sin6_scope_id = scope_id;
    return e;
}

endpoint endpoint::loopback_v6(std::uint16_t port) noexcept {
    std::array<std::uint8_t, 16> one{};
    one.back() = 1;
    return v6(one, port);
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return port;
}

std::optional<endpoint> endpoint::try_parse_address(std::string_view address, std::uint16_t port) noexcept {
    small_text text;
    std::array<std::uint8_t, 4> four{};
    if (copy_terminated(address, text) && ::inet_pton(AF_INET, text.data(), four.data()) == 1) return v4(four, port);
    const std::size_t percent = address.find('%');
    std::uint32_t scope = 0;
    if (percent != address.npos) {
        const auto id = parse_scope(address.substr(percent + 1));
        if (!id) return std::nullopt;
        scope = *id;
        address = address.substr(0, percent);
    }
    std::array<std::uint8_t, 16> sixteen{};
    if (!copy_terminated(address, text) || ::inet_pton(AF_INET6, text.data(), sixteen.data()) != 1) return std::nullopt;
    return v6(sixteen, port, scope);
}

std::optional<endpoint> endpoint::try_parse(std::string_view text) noexcept {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    std::string_view address = text.substr(0, colon);
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    const bool brackets = address.starts_with('[');
    if (brackets) {
        if (!address.ends_with(']')) return std::nullopt;
        address = address.substr(1, address.size() - 2);
    }
    const auto e = try_parse_address(address, *port);
    if (!e || e->is_v6() != brackets) return std::nullopt;
    return e;
}

endpoint endpoint::parse(std::string_view text) {
    if (const auto e = try_parse(text)) return *e;
    throw std::invalid_argument{fmt::format("not an address with a port: '{}' (write 127.0.0.1:80 or [::1]:80)", text)};
}

endpoint::family_type endpoint::family() const noexcept {
    if (is_v4()) return family_type::ipv4;
    return is_v6() ? family_type::ipv6 : family_type::unspecified;
}

std::uint16_t endpoint::port() const noexcept {
    if (is_v4()) return ntohs(v4_.sin_port);
    return is_v6() ? ntohs(v6_.sin6_port) : std::uint16_t{0};
}

void endpoint::set_port(std::uint16_t port) noexcept {
    if (is_v4())
        v4_.sin_port = htons(port);
    else if (is_v6())
        v6_.sin6_port = htons(port);
}

bool endpoint::is_loopback() const noexcept {
    if (is_v4()) return (ntohl(v4_.sin_addr.s_addr) >> 24) == 127;
    return is_v6() && IN6_IS_ADDR_LOOPBACK(&v6_.sin6_addr);
}

bool endpoint::is_any() const noexcept {
    if (is_v4()) return v4_.sin_addr.s_addr == 0;
    return is_v6() && IN6_IS_ADDR_UNSPECIFIED(&v6_.sin6_addr);
}

socklen_t endpoint::length() const noexcept {
    if (is_v4()) return sizeof(sockaddr_in);
    return is_v6() ? sizeof(sockaddr_in6) : sizeof(sa_family_t);
}

std::string endpoint::address_text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4()) return ::inet_ntop(AF_INET, &v4_.sin_addr, text.data(), text.size());
    if (!is_v6()) return "(no address)";
    std::string out = ::inet_ntop(AF_INET6, &v6_.sin6_addr, text.data(), text.size());
    if (v6_.sin6_scope_id != 0) out += fmt::format("%{}", v6_.sin6_scope_id);
    return out;
}

std::string endpoint::to_string() const {
    if (is_v4()) return fmt::format("{}:{}", address_text(), port());
    return is_v6() ? fmt::format("[{}]:{}", address_text(), port()) : address_text();
}

std::strong_ordering operator<=>(const endpoint& a, const endpoint& b) noexcept {
    if (const auto order = a.family() <=> b.family(); order != 0) return order;
    const bool v4 = a.is_v4();
    const int bytes = v4 ? std::memcmp(&a.v4_.sin_addr, &b.v4_.sin_addr, sizeof a.v4_.sin_addr)
                         : std::memcmp(&a.v6_.sin6_addr, &b.v6_.sin6_addr, sizeof a.v6_.sin6_addr);
    if (bytes != 0) return bytes <=> 0;
    if (const auto order = a.port() <=> b.port(); order != 0) return order;
    return a.scope_id() <=> b.scope_id();
}

std::size_t endpoint::hash() const noexcept {
    std::size_t h = (std::size_t{port()} << 32) ^ scope_id() ^ static_cast<std::size_t>(family());
    const auto* bytes = is_v4() ? reinterpret_cast<const unsigned char*>(&v4_.sin_addr)
                                : reinterpret_cast<const unsigned char*>(&v6_.sin6_addr);
    for (std::size_t i = 0; i < (is_v4() ? 4u : 16u); ++i) h = (h ^ bytes[i]) * 0x100000001b3u;
    return h ^ (h >> 32);
}

endpoint local_endpoint_of(int socket) noexcept {
    sockaddr_storage s{};
    socklen_t length = sizeof s;
    auto& base = reinterpret_cast<sockaddr&>(s);
    return io::sys::getsockname(socket, &base, &length) == 0 ? endpoint{base, length} : endpoint{};
}

endpoint peer_endpoint_of(int socket) noexcept {
    sockaddr_storage s{};
    socklen_t length = sizeof s;
    auto& base = reinterpret_cast<sockaddr&>(s);
    return io::sys::getpeername(socket, &base, &length) == 0 ? endpoint{base, length} : endpoint{};
}

}  // namespace ringlet::net
