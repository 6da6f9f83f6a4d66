// SPDX-License-Identifier: MIT
// What an awaited operation adds to the bare loop's NOP. Both run in the same process, in turn, so that both suffer
// from the same neighbours; the difference is taken pair by pair.
#include "common/measure.hpp"
#include "limits/bare_nop.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/operation.hpp>
#include <ringlet/time/joinall.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace bench {
namespace {

class nop_op final : public ringlet::io::operation<nop_op, void> {
public:
    nop_op() noexcept {}
    static constexpr std::string_view name = "nop";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_nop(&sqe); }
};

ringlet::task<> await_many(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) co_await nop_op{};
}

ringlet::task<double> awaited_nop_ns(unsigned in_flight, std::uint64_t total) {
    std::vector<ringlet::job<void>> jobs;
    jobs.reserve(in_flight);
    const auto start = clock::now();
    for (unsigned i = 0; i < in_flight; ++i) jobs.push_back(ringlet::spawn(await_many, total / in_flight));
    co_await ringlet::joinall(jobs);
    co_return nanoseconds_since(start) / static_cast<double>(total);
}

void measure_in_flight(const micro_options& options, unsigned in_flight) {
    constexpr std::uint64_t total = 64'000;
    ringlet::loop loop;
    ring bare{256, 4096};
    std::vector<double> ours;
    std::vector<double> limit;
    std::vector<double> added;
    for (std::size_t i = 0; i < 1 + 2 * options.repetitions(); ++i) {
        const double awaited = loop.run(awaited_nop_ns(in_flight, total));
        const double alone = bare_nop_ns(bare, in_flight, total);
        if (i == 0 && !options.short_run) continue;  // warm-up
        ours.push_back(awaited);
        limit.push_back(alone);
        added.push_back(awaited - alone);
    }
    print_summary(fmt::format("nop_{}", in_flight), "ns", summarize(std::move(ours)));
    print_summary(fmt::format("bare_nop_{}", in_flight), "ns", summarize(std::move(limit)));
    print_summary(fmt::format("nop_{}_added", in_flight), "ns", summarize(std::move(added)));
}

}  // namespace

void measure_nop(const micro_options& options) {
    measure_in_flight(options, 1);
    measure_in_flight(options, 64);
}

}  // namespace bench
