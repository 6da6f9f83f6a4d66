// SPDX-License-Identifier: MIT
#pragma once

#include "serve/options.hpp"
#include "serve/site.hpp"
#include <ringlet/net/tls_context.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace serve {

/// What is served, and how: the same in every process.
struct content {
    /// Throws when the root or the certificate cannot be used.
    explicit content(const serve::options& how) : options{how}, site{how.site} {
        if (!how.tls_cert.empty())
            tls = ringlet::net::tls_context::server(how.tls_cert, how.tls_key, "http/1.1", ask_for_https());
    }

    /// For who asks in clear.
    static std::string ask_for_https() {
        const std::string_view body = "400 Bad Request: this port speaks https, and the request came in clear\n";
        return fmt::format(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n"
            "Connection: close\r\n\r\n{}",
            body.size(), body);
    }

    serve::options options;
    serve::site site;
    std::optional<ringlet::net::tls_context> tls;
};

}  // namespace serve
