// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "xfer/options.hpp"
#include <ringlet/net/endpoint.hpp>
#include <ringlet/time/clock.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace xfer {

/// What there is to say of one connection of the server.
struct transfer {
    ringlet::net::endpoint peer;
    ringlet::deadline began;
    std::string name;         ///< as it was asked for; empty: nothing was
    bool found = false;       ///< there is such a file
    std::uint64_t size = 0;   ///< of the file
    std::uint64_t start = 0;  ///< the first byte that was sent
    std::uint64_t sent = 0;   ///< bytes of the file
    std::string_view result;  ///< a stable word; empty: a connection for nothing
    std::string why;          ///< for people, what the client is not told among it
};

struct totals {
    std::uint64_t connections = 0;
    std::uint64_t files = 0;  ///< sent to the end
    std::uint64_t bytes = 0;
};

/// What the server says, and what it counts. Everything from outside is made harmless here.
class reporter {
public:
    explicit reporter(const serve_options& how) : how_{how} {}

    /// On standard output; the first line there.
    void listens(const ringlet::net::endpoint& where);
    /// A line on standard error.
    void say(std::string_view text);
    void say_if_asked(std::string_view text);
    void connected() noexcept { ++totals_.connections; }
    void ended(const transfer& what);
    void say_totals();

    [[nodiscard]] apps::standard_printers& printers() noexcept { return print_; }

private:
    const serve_options& how_;
    totals totals_;
    apps::standard_printers print_;
};

/// A line of the log, without its end.
[[nodiscard]] std::string log_line(const transfer& what, bool json);

}  // namespace xfer
