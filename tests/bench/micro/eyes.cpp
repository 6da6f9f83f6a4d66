// SPDX-License-Identifier: MIT
// bench-eyes [--short], and bench-eyes-closed: this file with the core of the runtime, and without the eyes. The difference is
// what an await pays so that somebody may ask what the program is doing: its line is noted in the frame, the time in the
// job's block, the ready queue is counted. What a job waits for is noted as well, but that is needed in any case, to cancel
// it. (What the loop notes, it notes once a turn: that is among the costs of the awaited NOP.)
#include "common/measure.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/scheduler.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

using ringlet::detail::job_block;
using ringlet::detail::scheduler;
using ringlet::detail::this_thread_scheduler;

/// Goes to the end of the ready queue, as time/sleep.hpp's, which is not of the core.
class [[nodiscard]] turn_wait final : public ringlet::leaf<turn_wait, void> {
public:
    turn_wait() noexcept {}
    static constexpr std::string_view name = "turn";
    bool start(job_block& job) noexcept {
        this_thread_scheduler->make_ready(job);
        return true;
    }
    void outcome(job_block&) const noexcept {}
};

ringlet::task<> take_turns(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) co_await turn_wait();
}

ringlet::task<std::uint64_t> twice(std::uint64_t value) { co_return 2 * value; }

ringlet::task<> ask_child(std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < count; ++i) sum += co_await twice(i);
    if (sum != count * (count - 1)) std::abort();
}

/// Two jobs on a loop that has only its core; the time of one await.
double await_ns(ringlet::task<> (*awaits)(std::uint64_t), std::uint64_t count) {
    scheduler loop;
    this_thread_scheduler = &loop;
    const auto start = bench::clock::now();
    {
        const auto first = ringlet::spawn(awaits, count);
        const auto second = ringlet::spawn(awaits, count);
        while (!loop.idle()) loop.run_ready(1024);
    }
    const double taken = bench::nanoseconds_since(start) / static_cast<double>(2 * count);
    this_thread_scheduler = nullptr;
    return taken;
}

}  // namespace

int main(int argc, char** argv) {
    const bool short_run = argc > 1 && std::string_view{argv[1]} == "--short";
    const std::uint64_t count = short_run ? 2'000 : 100'000;
    const std::string suffix = ringlet::detail::with_eyes ? "" : "_closed";
    const auto measure = [&](std::string_view name, auto awaits) {
        bench::print_summary(std::string{name} + suffix, "ns",
                             bench::repeat(short_run ? 1 : 27, [&] { return await_ns(awaits, count); }));
    };
    measure("eyes_turn", take_turns);
    measure("eyes_child", ask_child);
}
