// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include "echo/options.hpp"
#include <ringlet/core/task.hpp>

#include <cstdint>

namespace echo {

struct tcp_totals {
    std::uint64_t connections = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failed = 0;
};

/// Echoes on every connection, until cancelled; says where. A connection's end, good or bad, is its own.
ringlet::task<> serve_tcp(const options& how, tcp_totals& totals, apps::standard_printers& print);

}  // namespace echo
