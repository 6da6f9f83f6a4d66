// SPDX-License-Identifier: MIT
// An echo server: one job per TCP connection, one job for all UDP peers; Ctrl-C ends it.
// Try:  ringlet-echo       and in another terminal  nc -u 127.0.0.1 7777
//       ringlet-echo --tcp                          nc 127.0.0.1 7777
#include "common/engine_line.hpp"
#include "common/printer.hpp"
#include "echo/options.hpp"
#include "echo/tcp.hpp"
#include "echo/udp.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>

#include <csignal>

#include <sys/resource.h>

namespace {

// Signals first: once the address is printed, one of them must end the server well.
ringlet::task<> echo_tcp(const echo::options& how) {
    apps::standard_printers print;
    if (how.verbose) print.err().line(apps::engine_line());
    echo::tcp_totals totals;
    co_await ringlet::first_of(ringlet::until_signal(SIGINT, SIGTERM), echo::serve_tcp(how, totals, print));
    if (!how.quiet)
        print.err().say("{} connections, {} bytes echoed, {} connections failed", totals.connections, totals.bytes,
                        totals.failed);
    co_await print.finish();  // a second signal ends it where nobody reads
}

ringlet::task<> echo_udp(const echo::options& how) {
    apps::standard_printers print;
    if (how.verbose) print.err().line(apps::engine_line());
    echo::udp_totals totals;
    co_await ringlet::first_of(ringlet::until_signal(SIGINT, SIGTERM), echo::serve_udp(how, totals, print));
    if (!how.quiet) print.err().line(totals.to_string(how.rate_per_source != 0));
    co_await print.finish();
}

// A descriptor a connection: as many as we may have.
void allow_many_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
    echo::options how;
    if (const auto status = echo::parse_options(argc, argv, how)) return *status;
    allow_many_files();
    ringlet::loop_options loop;
    loop.buffer_bytes = how.buffer_bytes;
    return ringlet::run_main(
        argc, argv, [&](ringlet::arguments) { return how.tcp ? echo_tcp(how) : echo_udp(how); }, loop);
}
