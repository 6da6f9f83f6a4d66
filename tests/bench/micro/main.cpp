// SPDX-License-Identifier: MIT
// bench-runtime NAME [--short]: one microbenchmark, its figures as lines of JSON.
#include "micro/micro.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

int main(int argc, char** argv) {
    using measure = void (*)(const bench::micro_options&);
    static constexpr std::array<std::pair<std::string_view, measure>, 10> known{
        {{"spawn", bench::measure_spawn},
         {"spawn-million", bench::measure_spawn_million},
         {"switch", bench::measure_switch},
         {"mutex", bench::measure_mutex},
         {"hop", bench::measure_hop},
         {"nop", bench::measure_nop},
         {"cancel", bench::measure_cancel},
         {"sleepers", bench::measure_sleepers},
         {"simulation", bench::measure_simulation},
         {"sizes", bench::print_sizes}}};
    const bench::micro_options options{argc == 3 && std::string_view{argv[2]} == "--short"};
    if (argc == 2 || options.short_run) {
        for (const auto& [name, run] : known) {
            if (name != argv[1]) continue;
            run(options);
            return 0;
        }
    }
    fmt::print(stderr, "usage: bench-runtime NAME [--short], where NAME is one of:");
    for (const auto& [name, run] : known) fmt::print(stderr, " {}", name);
    fmt::print(stderr, "\n");
    return 2;
}
