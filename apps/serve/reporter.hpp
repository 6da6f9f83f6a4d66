// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "serve/access_log.hpp"
#include "serve/clients.hpp"
#include "serve/options.hpp"
#include <ringlet/http/server_connection.hpp>
#include <ringlet/net/compact_endpoint.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/multishot_stream.hpp>
#include <ringlet/time/clock.hpp>

#include <exception>
#include <string_view>

namespace serve {

inline constexpr std::string_view drain_notice = "finishing what is being sent; press Ctrl-C again to leave at once";

/// What a server says, and what it counts while it does: the access log, what went wrong with a connection, the totals.
class reporter {
public:
    /// `counted` is where the counts go; it outlives this.
    reporter(const options& how, totals& counted) : options_{how}, totals_{counted} {}

    /// On standard output; the first line there has the address.
    void listens(const ringlet::net::endpoint& where);
    /// A line on standard error.
    void say(std::string_view text);
    /// The same as it is, with --verbose only.
    void say_if_asked(std::string_view text);
    /// Who it is, for `answered`; asked of the kernel only where it is told.
    ringlet::net::compact_endpoint peer_of(const ringlet::net::multishot_stream& stream) const {
        if (options_.quiet) return {};
        return ringlet::net::compact_endpoint{stream.peer_endpoint()};
    }
    /// What is said of an answer when it has ended, or broken off.
    class line {
    public:
        line(reporter& in, const ringlet::net::compact_endpoint& peer, const ringlet::http::server_connection& client,
             const ringlet::http::request_head& request) noexcept
            : in_{in}, peer_{peer}, client_{client}, request_{request}, begin_{in.now()} {}
        line(const line&) = delete;
        line& operator=(const line&) = delete;
        ~line();

    private:
        reporter& in_;
        const ringlet::net::compact_endpoint& peer_;
        const ringlet::http::server_connection& client_;
        const ringlet::http::request_head& request_;
        ringlet::deadline begin_;
    };
    void accepted() noexcept { ++totals_.connections; }
    void answered(const logged_answer& what);
    /// Peers come and go, and many that connect to a TLS port speak something else; what else ends a connection is said.
    void failed(const ringlet::net::endpoint& peer, const std::exception_ptr& why);

    apps::standard_printers& printers() noexcept { return print_; }

private:
    // When an answer begins and ends, where it is told.
    ringlet::deadline now() const noexcept { return options_.quiet ? ringlet::deadline{} : ringlet::clock::now(); }

    const options& options_;
    totals& totals_;
    apps::standard_printers print_;
};

}  // namespace serve
