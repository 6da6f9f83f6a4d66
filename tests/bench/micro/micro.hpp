// SPDX-License-Identifier: MIT
// The microbenchmarks of the runtime. Each runs in a process of its own (run.py sees to that), because pools that one
// has warmed would flatter the next.
#pragma once

#include <cstddef>

namespace bench {

struct micro_options {
    bool short_run = false;  // everything once, on small numbers
    std::size_t repetitions() const { return short_run ? 1 : 9; }
    std::size_t scaled(std::size_t count) const { return short_run ? count / 50 : count; }
};

void measure_spawn(const micro_options& options);          // batches of 1,000
void measure_spawn_million(const micro_options& options);  // all alive at once
void measure_switch(const micro_options& options);
void measure_mutex(const micro_options& options);
void measure_hop(const micro_options& options);  // queue and channel, from one task to another
void measure_nop(const micro_options& options);
void measure_cancel(const micro_options& options);
void measure_sleepers(const micro_options& options);
void measure_simulation(const micro_options& options);
void print_sizes(const micro_options& options);

}  // namespace bench
