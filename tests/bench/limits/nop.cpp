// SPDX-License-Identifier: MIT
// The limit for an awaited operation: NOPs through liburing and nothing else, with 1 and with 64 in flight.
// The completion of each submits the next, one io_uring_enter a turn.
#include "common/measure.hpp"
#include "common/process.hpp"
#include "common/ring.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string>

namespace {

double nop_ns(bench::ring& ring, unsigned in_flight, std::uint64_t total) {
    std::uint64_t to_submit = total;
    const auto submit_one = [&] {
        io_uring_prep_nop(ring.entry());
        --to_submit;
    };
    const auto start = bench::clock::now();
    for (unsigned i = 0; i < in_flight; ++i) submit_one();
    for (std::uint64_t done = 0; done < total;) {
        ring.submit_and_wait();
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* cqe = nullptr;
        io_uring_for_each_cqe(ring.get(), head, cqe) {
            if (to_submit != 0) submit_one();
            ++count;
        }
        io_uring_cq_advance(ring.get(), count);
        done += count;
    }
    return bench::nanoseconds_since(start) / static_cast<double>(total);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) bench::pin_to_core(std::atoi(argv[1]));
    bench::ring ring{256, 4096};
    for (const unsigned in_flight : {1U, 64U}) {
        const auto run = [&] { return nop_ns(ring, in_flight, 200'000); };
        bench::print_summary(fmt::format("bare_nop_{}", in_flight), "ns", bench::repeat(9, run));
    }
}
