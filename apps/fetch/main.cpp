// SPDX-License-Identifier: MIT
// A downloader: every URL at once, at most -j at a time, one job each; Ctrl-C stops them all and leaves nothing half done
// under a final name.
// Try:  ringlet-fetch -P /tmp http://127.0.0.1:8080/      with ringlet-serve running beside it
#include "fetch/board.hpp"
#include "fetch/display.hpp"
#include "fetch/downloader.hpp"
#include "fetch/failure.hpp"
#include "fetch/options.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>

#include <algorithm>
#include <csignal>
#include <variant>

#include <sys/resource.h>

namespace {

ringlet::task<int> until_interrupted(fetch::display& screen) {
    const int number = co_await ringlet::until_signal(SIGINT, SIGTERM);
    screen.announce("stopping; press Ctrl-C again to leave at once");
    co_return number;
}

ringlet::task<int> fetch_all(const fetch::options& options, fetch::board& board, fetch::display& screen) {
    try {
        fetch::downloader downloader{options, board, screen};
        const auto end =
            co_await ringlet::first_of(until_interrupted(screen), downloader.fetch_all(), screen.animate());
        const bool interrupted = end.index() == 0;
        screen.finish(interrupted);
        if (interrupted) co_return 128 + std::get<0>(end);
        co_return to_int(board.outcome());
    } catch (const fetch::failure& cannot_begin) {
        screen.failed(cannot_begin);
        co_return to_int(cannot_begin.code());
    }
}

ringlet::task<int> fetch_and_tell(const fetch::options& options) {
    fetch::board board{options.urls};
    fetch::display screen{board, options};
    const int status = co_await fetch_all(options, board, screen);
    co_await screen.written();
    co_return status;
}

// A file beyond the size limit is to be an error (EFBIG) and no signal; and each download has a file and a connection.
void prepare_process(unsigned jobs) noexcept {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = std::min(files.rlim_max, std::max<rlim_t>(files.rlim_cur, rlim_t{jobs} * 4 + 64));
    ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int main(int argc, char** argv) {
    fetch::options options;
    if (const auto status = fetch::parse_options(argc, argv, options)) return *status;
    prepare_process(options.jobs);
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return fetch_and_tell(options); });
}
