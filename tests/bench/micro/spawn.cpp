// SPDX-License-Identifier: MIT
#include "common/measure.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/time/joinall.hpp>

#include <cstdint>
#include <vector>

namespace bench {
namespace {

ringlet::task<> add_one(std::uint64_t* sum) {
    ++*sum;
    co_return;
}

ringlet::task<> spawn_and_join(std::size_t alive, std::size_t rounds) {
    std::uint64_t sum = 0;
    std::vector<ringlet::job<void>> jobs;
    jobs.reserve(alive);
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < alive; ++i) jobs.push_back(ringlet::spawn(add_one, &sum));
        co_await ringlet::joinall(jobs);
        jobs.clear();
    }
    keep(sum);
}

ringlet::task<double> spawn_and_join_ns(std::size_t alive, std::size_t rounds) {
    const auto start = clock::now();
    co_await spawn_and_join(alive, rounds);
    co_return nanoseconds_since(start) / static_cast<double>(alive * rounds);
}

ringlet::task<std::vector<double>> samples(std::size_t count, std::size_t alive, std::size_t rounds) {
    std::vector<double> taken;
    for (std::size_t i = 0; i < count; ++i) {
        const double one = co_await spawn_and_join_ns(alive, rounds);
        taken.push_back(one);
    }
    co_return taken;
}

}  // namespace

void measure_spawn(const micro_options& options) {
    const auto run = [](std::size_t count, std::size_t rounds) {
        return ringlet::loop{}.run(samples(count, 1'000U, rounds));
    };
    static_cast<void>(run(1, options.scaled(500)));
    print_summary("spawn_join_1000", "ns", summarize(run(options.repetitions(), options.scaled(500))));
}

void measure_spawn_million(const micro_options& options) {
    const std::size_t alive = options.scaled(1'000'000);
    const auto taken = ringlet::loop{}.run(samples(1 + options.repetitions(), alive, 1U));
    print_summary("spawn_join_1m_fresh", "ns", summarize({taken.front()}));
    print_summary("spawn_join_1m_warm", "ns", summarize({taken.begin() + 1, taken.end()}));
}

}  // namespace bench
