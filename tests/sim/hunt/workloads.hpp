// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/everywhere.hpp>

#include <string_view>

namespace ringlet_hunt {

/// Something that many seeds try to break.
struct workload {
    std::string_view name;
    ringlet::testing::fault_plan faults;
    double success_share;  ///< of the runs, after a fault or more
    /// Whether its work was done; throws what must never be.
    bool (*run)(ringlet::testing::simulation& world);
};

bool exchange_over_tcp(ringlet::testing::simulation& world);
bool exchange_datagrams(ringlet::testing::simulation& world);
bool get_over_http(ringlet::testing::simulation& world);
bool replace_a_file(ringlet::testing::simulation& world);
bool hand_on_through_pipes(ringlet::testing::simulation& world);

}  // namespace ringlet_hunt
