// SPDX-License-Identifier: MIT
#pragma once

#include "common/exit_codes.hpp"
#include "common/numbers.hpp"
#include "common/progress.hpp"
#include <ringlet/http/url.hpp>
#include <ringlet/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

/// One URL on its way. What downloads it writes here, what shows it reads.
struct transfer {
    explicit transfer(ringlet::http::url from) : url{std::move(from)} {}

    ringlet::http::url url;
    std::string name;  ///< for people: the path of the file
    std::string note;  ///< what it waits for; empty while the body comes
    std::uint64_t done_bytes = 0;
    std::optional<std::uint64_t> total_bytes;
    std::optional<apps::exit_code> outcome;
    ringlet::deadline began;
    ringlet::deadline moved;                ///< when the last bytes came
    std::optional<apps::rate_window> rate;  ///< while it is active
};

/// All transfers of a run: which are to be done, which are under way, how many ended.
class board {
public:
    explicit board(const std::vector<ringlet::http::url>& urls);

    /// The next transfer to be done, in the order of the command line; nullptr when all have begun.
    [[nodiscard]] transfer* take();
    void end(transfer& which, apps::exit_code outcome);

    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] std::size_t done() const noexcept { return done_; }
    [[nodiscard]] std::size_t failed() const noexcept { return failed_; }
    [[nodiscard]] std::uint64_t bytes() const noexcept;
    /// The exit code of what has ended.
    [[nodiscard]] apps::exit_code outcome() const noexcept { return outcome_; }
    [[nodiscard]] std::chrono::nanoseconds elapsed() const noexcept { return ringlet::clock::now() - began_; }

    /// What a progress display shows now; takes a sample of every rate.
    [[nodiscard]] apps::progress_state progress();

private:
    [[nodiscard]] std::optional<std::uint64_t> total_bytes() const noexcept;

    std::vector<transfer> all_;
    std::vector<transfer*> active_;
    std::size_t begun_ = 0;
    std::size_t done_ = 0;
    std::size_t failed_ = 0;
    std::uint64_t ended_bytes_ = 0;
    apps::exit_code outcome_ = apps::exit_code::ok;
    ringlet::deadline began_;
    apps::rate_window rate_;
};

}  // namespace fetch
