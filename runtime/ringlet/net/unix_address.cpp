// SPDX-License-Identifier: MIT
#include <ringlet/net/unix_address.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ringlet::net {

unix_address::unix_address() noexcept { address_.sun_family = AF_UNIX; }

unix_address::unix_address(std::string_view text) : unix_address{} {
    // A path ends with a zero byte, and an abstract name begins with one in place of its @.
    constexpr std::size_t bytes_max = sizeof address_.sun_path - 1;
    if (text.empty() || text == "@") throw std::invalid_argument{"the address of a Unix socket is empty"};
    if (text.size() > bytes_max)
        throw std::invalid_argument{fmt::format("'{}' is longer than a Unix socket's {} bytes", text, bytes_max)};
    if (text.find('\0') != text.npos)
        throw std::invalid_argument{
            "the address of a Unix socket has a zero byte in it: write an abstract name as @name"};
    std::memcpy(address_.sun_path, text.data(), text.size());
    length_ = offset + static_cast<socklen_t>(text.size());
    if (text.front() == '@')
        address_.sun_path[0] = '\0';
    else
        ++length_;
}

unix_address::unix_address(const sockaddr_un& address, socklen_t length) noexcept
    : address_{address}, length_{std::clamp<socklen_t>(length, offset, sizeof address)} {}

std::string_view unix_address::name() const noexcept {
    const std::string_view all{address_.sun_path, length_ - offset};
    // The kernel may count the zero byte of a path or not.
    return is_path() ? all.substr(0, all.find('\0')) : all;
}

std::string unix_address::path() const { return is_path() ? std::string{name()} : std::string{}; }

std::string unix_address::to_string() const {
    if (is_unnamed()) return "(unnamed)";
    return is_path() ? path() : "@" + std::string{name().substr(1)};
}

}  // namespace ringlet::net
