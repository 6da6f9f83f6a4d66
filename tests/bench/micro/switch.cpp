// SPDX-License-Identifier: MIT
#include "common/measure.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/time/sleep.hpp>

#include <cstdint>

namespace bench {
namespace {

ringlet::task<> yield_many(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) co_await ringlet::yield();
}

ringlet::task<double> switch_ns(std::size_t count) {
    const auto start = clock::now();
    co_await ringlet::when_all(yield_many(count), yield_many(count));
    co_return nanoseconds_since(start) / static_cast<double>(2 * count);
}

}  // namespace

void measure_switch(const micro_options& options) {
    const auto run = [&] { return ringlet::loop{}.run(switch_ns(options.scaled(2'000'000))); };
    print_summary("switch", "ns", repeat(options.repetitions(), run));
}

}  // namespace bench
