// SPDX-License-Identifier: MIT
// The bare NOP loop alone. bench-runtime measures it too, next to the awaited one.
#include "common/measure.hpp"
#include "limits/bare_nop.hpp"

#include <fmt/format.h>

int main() {
    bench::ring ring{256, 4096};
    for (const unsigned in_flight : {1U, 64U}) {
        const auto run = [&] { return bench::bare_nop_ns(ring, in_flight, 200'000); };
        bench::print_summary(fmt::format("bare_nop_{}", in_flight), "ns", bench::repeat(9, run));
    }
}
