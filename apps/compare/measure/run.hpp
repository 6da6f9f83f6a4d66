// SPDX-License-Identifier: MIT
#pragma once

#include "compare/measure/scenario.hpp"
#include "compare/measure/server.hpp"
#include "compare/results.hpp"
#include "compare/site.hpp"
#include <ringlet/core/task.hpp>

#include <optional>
#include <vector>

namespace comparison {

/// What one run of one server gives.
struct outcome {
    measurement all;
    std::vector<interval> timeline;  ///< scenario `silent` only
};

/// Starts a server, lets clients do what the scenario says, and ends it. Errors: those of server::start.
ringlet::task<outcome> run_once(const scenario& what, unsigned level, const server_command& who, const site& pages);

/// System calls per request, 0 where nothing is answered. Errors: those of server::start; std::system_error where tracing
/// is not allowed.
ringlet::task<double> count_calls(const scenario& what, unsigned level, const server_command& who, const site& pages);

/// How much the server's memory grows by a connection that was answered once and stays: of 250 more, after enough requests
/// that all has been made that is made once. nullopt where it does not serve so many at once. Errors: those of server::start.
ringlet::task<std::optional<double>> measure_idle_connection(const server_command& who, const site& pages);

}  // namespace comparison
