// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/checked.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::http {

/// An http or https URL, taken apart (RFC 3986, RFC 9110 section 4.2). Made by url::parse and resolve.
class url {
public:
    /// Takes an absolute URL as people and servers write it: spaces, non-ASCII and other characters that RFC 3986 does
    /// not allow are percent-encoded in path and query, a fragment is dropped, scheme and host become lower case.
    /// Refused with the reason: other schemes, no or a malformed host, non-ASCII in it, port 0 or over 65535, control
    /// characters, more than 16 KiB.
    static checked<url> parse(std::string_view text);

    /// The URL that `reference` (the Location of a redirect) means here (RFC 3986 section 5). Same errors as parse.
    [[nodiscard]] checked<url> resolve(std::string_view reference) const;

    /// "http" or "https".
    [[nodiscard]] const std::string& scheme() const noexcept { return scheme_; }
    [[nodiscard]] bool is_https() const noexcept { return scheme_ == "https"; }
    /// A name or address in lower case; an IPv6 address without brackets. Not empty.
    [[nodiscard]] const std::string& host() const noexcept { return host_; }
    [[nodiscard]] bool host_is_ipv6() const noexcept { return host_.find(':') != std::string::npos; }
    /// The port to connect to: 80 or 443 when the URL has none.
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// "user:password" as it stands before the host, still encoded; empty when there is none. A secret: never print it.
    [[nodiscard]] const std::string& user_info() const noexcept { return user_info_; }
    /// Path and query as the request line wants them; starts with '/'.
    [[nodiscard]] const std::string& target() const noexcept { return target_; }
    /// The last segment of the path, percent-encoding left in; empty for a directory.
    [[nodiscard]] std::string_view last_segment() const noexcept;

    /// The value of the Host field: the port only where it is not the scheme's own.
    [[nodiscard]] std::string host_field() const;
    /// The whole URL without user_info, fit for messages.
    [[nodiscard]] std::string to_string() const;
    /// Same scheme, host and port: credentials may go along with a redirect (RFC 9110 section 4.3.1).
    [[nodiscard]] bool same_origin(const url& other) const noexcept;

    [[nodiscard]] bool operator==(const url&) const noexcept = default;

private:
    url() = default;
    friend class checked<url>;

    std::string scheme_;
    std::string user_info_;
    std::string host_;
    std::string target_;
    std::uint16_t port_ = 0;
};

}  // namespace ringlet::http
