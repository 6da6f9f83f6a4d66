// SPDX-License-Identifier: MIT
#include "limits/bare_nop.hpp"

#include "common/measure.hpp"

namespace bench {

double bare_nop_ns(ring& ring, unsigned in_flight, std::uint64_t total) {
    std::uint64_t to_submit = total;
    const auto submit_one = [&] {
        io_uring_prep_nop(ring.entry());
        --to_submit;
    };
    const auto start = clock::now();
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
    return nanoseconds_since(start) / static_cast<double>(total);
}

}  // namespace bench
