// SPDX-License-Identifier: MIT
#include "echo/options.hpp"

#include "common/numbers.hpp"
#include "common/options.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include <netinet/in.h>

namespace echo {
namespace {

// Where nobody outside can ask, nobody has to be protected from our answers.
constexpr std::uint32_t rate_per_source_elsewhere = 100;

// Multicast, or the broadcast address: a socket can be bound to them, but nobody can answer from there.
bool is_of_many(const ringlet::net::endpoint& address) {
    if (address.is_v6())
        return IN6_IS_ADDR_MULTICAST(&reinterpret_cast<const sockaddr_in6&>(address.address()).sin6_addr);
    const auto number = ntohl(reinterpret_cast<const sockaddr_in&>(address.address()).sin_addr.s_addr);
    return IN_MULTICAST(number) || number == INADDR_BROADCAST;
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::uint16_t port = into.address.port();
    std::string bind = into.address.address_text();
    std::string buffer_bytes = std::to_string(into.buffer_bytes);
    std::string time_limit;
    std::optional<std::uint32_t> rate;
    apps::option_parser parser{
        "ringlet-echo",
        "Sends back what it gets: every datagram to its sender or, with --tcp, every byte on its connection.",
        {"ringlet-echo                     UDP at 127.0.0.1:7777; try  nc -u 127.0.0.1 7777",
         "ringlet-echo --tcp --port 0      TCP at a free port, which it prints",
         "ringlet-echo --bind 0.0.0.0      for everybody who can reach this machine"},
        "Two UDP services that answer everything can be set on each other for ever by one datagram with a forged\n"
        "sender (CVE-2024-2169). So datagrams from port 7, 9, 13, 17, 19, 37, 53, 69, 123, and from the port that\n"
        "ringlet-echo itself has, are never answered, nor are those that were sent to a broadcast or multicast "
        "address.\n"
        "A source, for --rate-per-source, is an IPv4 address or the first 64 bits of an IPv6 address.\n\n"
        "Exit status: 0 after Ctrl-C or SIGTERM, 1 when it could not run, 2 for a wrong command line."};
    auto& app = parser.app();
    app.add_option("-p,--port", port, "Port; 0 takes a free one")->transform(apps::is_port())->capture_default_str();
    app.add_option("-b,--bind", bind, "Address to listen on; loopback unless given")->capture_default_str();
    app.add_flag("--tcp", into.tcp, "TCP instead of UDP");
    app.add_option("--buffer-bytes", buffer_bytes, "TCP: bytes received at a time, up to 1M")
        ->capture_default_str()
        ->check(apps::is_size());
    app.add_option("--time-limit", time_limit, "TCP: close a connection that neither sends nor takes anything so long")
        ->check(apps::is_duration());
    app.add_option("--rate-per-source", rate,
                   fmt::format("UDP: answers a second to each source at most, 0 for any number; {} unless given, and\n"
                               "any number on a loopback address",
                               rate_per_source_elsewhere))
        ->transform(apps::is_whole(0, 1'000'000));
    auto* quiet = app.add_flag("-q,--quiet", into.quiet, "No totals at the end");
    app.add_flag("-v,--verbose", into.verbose, "A line on standard error for each datagram or connection")
        ->excludes(quiet);
    if (const auto status = parser.parse(argc, argv)) return status;

    const auto address = ringlet::net::endpoint::try_parse_address(bind, port);
    if (!address) return parser.usage_error("--bind takes a numeric address such as 0.0.0.0 or ::1, not " + bind);
    if (is_of_many(*address)) return parser.usage_error("--bind takes an address of this machine alone, not " + bind);
    into.address = *address;
    into.rate_per_source = rate.value_or(address->is_loopback() ? 0 : rate_per_source_elsewhere);
    const auto bytes = *apps::parse_size(buffer_bytes);
    if (bytes == 0 || bytes > 1 << 20) return parser.usage_error("--buffer-bytes takes 1 to 1M, not " + buffer_bytes);
    into.buffer_bytes = static_cast<unsigned>(bytes);
    if (!time_limit.empty()) into.time_limit = apps::parse_duration(time_limit);
    if (into.time_limit && into.time_limit->count() == 0) return parser.usage_error("--time-limit takes more than 0");
    return std::nullopt;
}

}  // namespace echo
