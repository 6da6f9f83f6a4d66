// SPDX-License-Identifier: MIT
#pragma once

#include "common/confined_open.hpp"
#include "compare/exchange.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace comparison {

/// One connection of the models whose calls never wait: what `talk` has on its stack is an object here, and where `talk`
/// would wait, `go_on` returns and remembers where it was.
class connection {
public:
    using clock = std::chrono::steady_clock;
    enum class wants { input, output, time, end };

    connection(int client, const site& pages);
    /// Does what can be done at once. Result: what it waits for, `until` when at most.
    wants go_on(clock::time_point now);
    clock::time_point until() const noexcept { return until_; }
    int socket() const noexcept { return client_.get(); }

private:
    apps::unique_fd client_;
    exchange requests_;
    std::optional<answer> answer_;
    std::size_t sent_ = 0;
    wants waits_for_ = wants::input;
    clock::time_point until_;
};

}  // namespace comparison
