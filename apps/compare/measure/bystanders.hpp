// SPDX-License-Identifier: MIT
#pragma once

#include "compare/measure/scenario.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/endpoint.hpp>

namespace comparison {

/// Clients that are there while others are measured.
class bystanders {
public:
    bystanders(presence how, unsigned count, ringlet::net::endpoint at) noexcept : how_{how}, count_{count}, at_{at} {}

    /// Connects them all, and waits until each has had its first answer, for 3 s at most; they stay until the group is
    /// cancelled. This must outlive the group.
    ringlet::task<> arrive(ringlet::task_group& group);
    unsigned wanted() const noexcept { return count_; }
    /// Those who have had an answer, or the beginning of one.
    unsigned served() const noexcept { return served_; }

private:
    ringlet::task<> stay();

    presence how_;
    unsigned count_;
    ringlet::net::endpoint at_;
    unsigned served_ = 0;
};

}  // namespace comparison
