// SPDX-License-Identifier: MIT
// A downloader: every URL at once, at most -j at a time, one job each; Ctrl-C stops them all and leaves nothing half done
// under a final name.
// Try:  ringlet-fetch -P /tmp http://127.0.0.1:8080/      with ringlet-serve running beside it
#include "common/engine_line.hpp"
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
#include <new>
#include <variant>

#include <sys/resource.h>

namespace {

ringlet::task<int> until_interrupted(fetch::display& screen) {
    const int number = co_await ringlet::until_signal(SIGINT, SIGTERM);
    screen.announce("stopping; press Ctrl-C again to leave at once");
    co_return number;
}

// To be called in a catch block.
int cannot_go_on(fetch::display& screen) {
    const fetch::failure why = fetch::current_failure();
    screen.failed(why);
    return to_int(why.code());
}

ringlet::task<int> fetch_all(const fetch::options& options, fetch::board& board, fetch::display& screen) {
    try {
        fetch::downloader downloader{options, board, screen};
        // The wait for a signal first, while there are descriptors.
        const auto end =
            co_await ringlet::first_of(until_interrupted(screen), downloader.fetch_all(), screen.animate());
        const bool interrupted = end.index() == 0;
        screen.finish(interrupted);
        if (interrupted) co_return 128 + std::get<0>(end);
        co_return to_int(board.outcome());
    } catch (const fetch::failure&) {
        co_return cannot_go_on(screen);
    } catch (const std::bad_alloc&) {
        co_return cannot_go_on(screen);
    }
}

bool has_weak_checksum(const fetch::options& options) noexcept {
    return std::ranges::any_of(options.items, [](const fetch::item& each) {
        return each.checksum && apps::is_weak(each.checksum->algorithm);
    });
}

ringlet::task<int> fetch_and_tell(const fetch::options& options) {
    fetch::board board{options.items};
    fetch::display screen{board, options};
    if (options.verbose) screen.announce(apps::engine_line());
    if (!options.trust.verify)
        screen.announce("warning: certificates are not checked (-k): anybody on the way can read and change all");
    if (has_weak_checksum(options))
        screen.announce(
            "note: MD5 and SHA-1 find damage, but whoever wants to can make another file with the same digest");
    const int status = co_await fetch_all(options, board, screen);
    const apps::exit_code told = co_await screen.written();
    if (status == 0) co_return to_int(told);
    co_return status;
}

// A file beyond the size limit is to be an error (EFBIG) and no signal. And each download has two files, its connections
// with a pipe each, and perhaps an idle one: where the limit cannot be raised there are fewer at a time, because all would fail together.
void prepare_process(unsigned& jobs, unsigned segments) noexcept {
    const rlim_t each = 3 + 3 * rlim_t{segments};
    constexpr rlim_t others = 16;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = std::min(files.rlim_max, std::max(files.rlim_cur, jobs * each + others));
    ::setrlimit(RLIMIT_NOFILE, &files);
    const rlim_t room = files.rlim_cur > others ? (files.rlim_cur - others) / each : 0;
    jobs = static_cast<unsigned>(std::clamp<rlim_t>(room, 1, jobs));
}

}  // namespace

int main(int argc, char** argv) {
    fetch::options options;
    if (const auto status = fetch::parse_options(argc, argv, options)) return *status;
    prepare_process(options.jobs, options.segments);
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return fetch_and_tell(options); });
}
