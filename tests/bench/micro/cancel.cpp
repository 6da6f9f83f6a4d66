// SPDX-License-Identifier: MIT
#include "common/measure.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>
#include <cstdlib>
#include <vector>

namespace bench {
namespace {

struct unwound {
    explicit unwound(std::size_t* count) noexcept : count_{count} {}
    ~unwound() { ++*count_; }
    unwound(const unwound&) = delete;
    unwound& operator=(const unwound&) = delete;

private:
    std::size_t* count_;
};

ringlet::task<> inner(std::size_t* count) {
    const unwound guard{count};
    co_await ringlet::sleep(std::chrono::hours{1});
}
ringlet::task<> middle(std::size_t* count) {
    const unwound guard{count};
    co_await inner(count);
}
ringlet::task<> outer(std::size_t* count) {
    const unwound guard{count};
    co_await middle(count);
}

ringlet::task<double> cancel_ns(std::size_t count) {
    std::size_t frames_unwound = 0;
    std::vector<ringlet::job<void>> jobs;
    jobs.reserve(count);
    for (std::size_t i = 0; i < count; ++i) jobs.push_back(ringlet::spawn(outer, &frames_unwound));
    co_await ringlet::sleep(std::chrono::milliseconds{1});  // by now they all sleep
    const auto start = clock::now();
    for (auto& job : jobs) job.cancel();
    for (auto& job : jobs) co_await job.join();
    const double taken = nanoseconds_since(start) / static_cast<double>(count);
    if (frames_unwound != 3 * count) std::abort();
    co_return taken;
}

}  // namespace

void measure_cancel(const micro_options& options) {
    const auto run = [&] { return ringlet::loop{}.run(cancel_ns(options.scaled(20'000))); };
    print_summary("cancel_3_frames", "ns", repeat(options.repetitions(), run));
}

}  // namespace bench
