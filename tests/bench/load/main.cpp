// SPDX-License-Identifier: MIT
// The load for echo servers: its own process on its own core, and a witness, since it compares every byte.
//
// Try it:  bench-echo-load --port 7000 --connections 50 --bytes 64 --server-pid $(pidof ringlet-echo)
#include "common/process.hpp"
#include "load/modes.hpp"

int main(int argc, char** argv) {
    const bench::load_options options = bench::parse_load_options(argc, argv);
    bench::raise_file_limit();
    if (options.core >= 0) bench::pin_to_core(options.core);
    switch (options.mode) {
        case bench::load_mode::closed_loop:
            bench::run_closed_loop(options);
            break;
        case bench::load_mode::ping_pong:
            bench::run_ping_pong(options);
            break;
        case bench::load_mode::idle:
            bench::run_idle(options);
            break;
        case bench::load_mode::datagrams:
            bench::run_datagrams(options);
            break;
    }
}
