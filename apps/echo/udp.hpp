// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "echo/options.hpp"
#include <ringlet/core/task.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace echo {

struct udp_totals {
    std::uint64_t datagrams = 0;  // echoed
    std::uint64_t bytes = 0;
    std::uint64_t refused = 0;   // not answered, because that could begin a loop or serve an attack
    std::uint64_t over_cap = 0;  // not answered: more of one source than --rate-per-source
    std::uint64_t failed = 0;
    std::optional<std::uint64_t> dropped;  // by the kernel, for want of room; nullopt when it does not tell

    /// One line for people.
    std::string to_string(bool capped) const;
};

/// Echoes every datagram to its sender, until cancelled; says where.
ringlet::task<> serve_udp(const options& how, udp_totals& totals, apps::standard_printers& print);

/// Whether an answer to this port may be answered in turn, and so for ever.
bool may_loop(std::uint16_t from_port, std::uint16_t own_port) noexcept;

}  // namespace echo
