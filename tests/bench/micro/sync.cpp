// SPDX-License-Identifier: MIT
#include "common/measure.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/sync/channel.hpp>
#include <ringlet/sync/mutex.hpp>
#include <ringlet/sync/queue.hpp>
#include <ringlet/time/sleep.hpp>

#include <cstdint>
#include <cstdlib>
#include <utility>

namespace bench {
namespace {

// Many samples of about a millisecond, as those of the limit: what a busy host takes away comes in larger pieces.
std::size_t samples(const micro_options& options) { return 3 * options.repetitions(); }

ringlet::task<> lock_many(ringlet::mutex& mutex, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto guard = co_await mutex.lock();
        keep(mutex);
    }
}

ringlet::task<double> lock_ns(std::uint64_t count) {
    ringlet::mutex mutex;
    const auto start = clock::now();
    co_await lock_many(mutex, count);
    co_return nanoseconds_since(start) / static_cast<double>(count);
}

/// Two jobs, each with a mutex of its own: none waits for the other, and they take turns as at every await.
ringlet::task<double> lock_in_turns_ns(std::uint64_t count) {
    ringlet::mutex first;
    ringlet::mutex second;
    const auto start = clock::now();
    co_await ringlet::when_all(lock_many(first, count), lock_many(second, count));
    co_return nanoseconds_since(start) / static_cast<double>(2 * count);
}

ringlet::task<> fill(ringlet::queue<std::uint64_t>& to, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) co_await to.put(i);
    to.close();
}
ringlet::task<std::uint64_t> drain(ringlet::queue<std::uint64_t>& from) {
    std::uint64_t sum = 0;
    while (const auto value = co_await from.get()) sum += *value;
    co_return sum;
}

ringlet::task<> fill(ringlet::channel<std::uint64_t>& to, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) co_await to.send(i);
    to.close();
}
ringlet::task<std::uint64_t> drain(ringlet::channel<std::uint64_t>& from) {
    std::uint64_t sum = 0;
    while (const auto value = co_await from.receive()) sum += *value;
    co_return sum;
}

template <class Between>
ringlet::task<double> hop_ns(Between& between, std::uint64_t count) {
    const auto start = clock::now();
    const auto ended = co_await ringlet::when_all(drain(between), fill(between, count));
    if (std::get<0>(ended) != count * (count - 1) / 2) std::abort();
    co_return nanoseconds_since(start) / static_cast<double>(count);
}

}  // namespace

void measure_mutex(const micro_options& options) {
    const std::uint64_t count = options.scaled(200'000);
    print_summary("mutex", "ns", repeat(samples(options), [&] { return ringlet::loop{}.run(lock_ns(count)); }));
    print_summary("mutex_in_turns", "ns",
                  repeat(samples(options), [&] { return ringlet::loop{}.run(lock_in_turns_ns(count)); }));
}

void measure_hop(const micro_options& options) {
    const std::uint64_t count = options.scaled(100'000);
    print_summary("queue_hop", "ns", repeat(samples(options), [&] {
                      ringlet::queue<std::uint64_t> between{1};
                      return ringlet::loop{}.run(hop_ns(between, count));
                  }));
    print_summary("channel_hop", "ns", repeat(samples(options), [&] {
                      ringlet::channel<std::uint64_t> between;
                      return ringlet::loop{}.run(hop_ns(between, count));
                  }));
}

}  // namespace bench
