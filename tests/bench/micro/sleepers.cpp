// SPDX-License-Identifier: MIT
#include "common/json_line.hpp"
#include "common/measure.hpp"
#include "common/process.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

#include <unistd.h>

namespace bench {
namespace {

ringlet::task<> sleeper(std::chrono::nanoseconds delay) { co_await ringlet::sleep(delay); }

ringlet::task<> sleep_all(std::size_t count) {
    std::vector<ringlet::job<void>> jobs;
    jobs.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        // 0 to 1 s, evenly, and not in order: 382,123 has no factor in common with a power of ten.
        const auto part = static_cast<double>(i * 382'123 % count) / static_cast<double>(count);
        jobs.push_back(ringlet::spawn(sleeper, std::chrono::nanoseconds{static_cast<std::int64_t>(part * 1e9)}));
    }
    co_await ringlet::joinall(jobs);
}

ringlet::task<double> timed(std::size_t count) {
    const auto start = clock::now();
    co_await sleep_all(count);
    co_return nanoseconds_since(start) / 1e9;
}

}  // namespace

void measure_sleepers(const micro_options& options) {
    const std::size_t count = options.scaled(1'000'000);
    const std::uint64_t before = resident_bytes(::getpid());
    const double seconds = ringlet::loop{}.run(timed(count));
    const auto grown = static_cast<double>(peak_resident_bytes()) - static_cast<double>(before);
    print_summary("sleepers_wall", "s", summarize({seconds}));
    print_summary("sleepers_resident", "B", summarize({grown / static_cast<double>(count)}));
}

}  // namespace bench
