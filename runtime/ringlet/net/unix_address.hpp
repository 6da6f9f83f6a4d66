// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>

namespace ringlet::net {

/// Where a Unix socket listens: a path in the file system, or an abstract name, written "@name", which is in no file system
/// and goes with its socket. The default one is unnamed: that of a client. See unix(7).
class unix_address {
public:
    unix_address() noexcept;
    /// Throws std::invalid_argument when it is empty, has a zero byte in it, or is longer than 107 bytes.
    unix_address(std::string_view text);
    unix_address(const std::string& text) : unix_address{std::string_view{text}} {}
    unix_address(const char* text) : unix_address{std::string_view{text}} {}
    /// From what the kernel filled.
    unix_address(const sockaddr_un& address, socklen_t length) noexcept;

    bool is_unnamed() const noexcept { return length_ <= offset; }
    bool is_abstract() const noexcept { return !is_unnamed() && address_.sun_path[0] == '\0'; }
    bool is_path() const noexcept { return !is_unnamed() && !is_abstract(); }
    /// The path; empty when there is none.
    std::string path() const;
    /// The path, "@name", or "(unnamed)".
    std::string to_string() const;

    const sockaddr& address() const noexcept { return reinterpret_cast<const sockaddr&>(address_); }
    socklen_t length() const noexcept { return length_; }

    friend bool operator==(const unix_address& a, const unix_address& b) noexcept { return a.name() == b.name(); }

private:
    static constexpr socklen_t offset = offsetof(sockaddr_un, sun_path);
    std::string_view name() const noexcept;

    sockaddr_un address_{};
    socklen_t length_ = offset;
};

/// Who is at the other end: as it was when that connected, or listened.
struct peer_credentials {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};

}  // namespace ringlet::net
