// SPDX-License-Identifier: MIT
// Files over TCP: a server with one job per connection, and a client that ends with the right bytes under the right name or
// with an error.
// Try:  ringlet-xfer serve .       and in another terminal  ringlet-xfer get 127.0.0.1 README.md -o /tmp/README.md
#include "common/engine_line.hpp"
#include "common/file_limit.hpp"
#include "common/port_in_use.hpp"
#include "xfer/display.hpp"
#include "xfer/download.hpp"
#include "xfer/failure.hpp"
#include "xfer/options.hpp"
#include "xfer/server.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <unistd.h>

namespace {

namespace net = ringlet::net;

// --- serve ---

ringlet::task<> drain_when_told(xfer::server& here) {
    co_await ringlet::until_signal(SIGINT, SIGTERM);
    here.report.say(fmt::format("finishing what is being sent, for {} at most; press Ctrl-C again to leave at once",
                                apps::format_duration(here.how.timeout)));
    here.drain.begin();
    co_await ringlet::sleep(here.how.timeout);  // the clients end first, or are ended
}

// Whoever reads the log may miss it.
ringlet::task<> tell_when_the_log_ends(xfer::reporter& report) {
    co_await report.printers().out().until_broken();
    report.say(fmt::format("write standard output: {}", report.printers().out().error().message()));
    co_await ringlet::sleep_until(ringlet::io::no_deadline);
}

ringlet::task<> serve_files(const xfer::serve_options& how) {
    auto listener = apps::bind_or_explain(
        "TCP", how.address, [](const net::endpoint& address) { return net::tcp_listener::bind(address); });
    xfer::server here{how};
    here.report.say_if_asked(apps::engine_line());
    // The wait for a signal first: once the address is printed, Ctrl-C drains.
    co_await ringlet::first_of(drain_when_told(here), xfer::serve_clients(listener, here),
                               tell_when_the_log_ends(here.report));
    here.report.say_totals();
    co_await here.report.printers().finish();
}

// --- get ---

void put(std::string_view text) noexcept {
    [[maybe_unused]] const ssize_t n = ringlet::io::sys::write(STDERR_FILENO, text.data(), text.size());
}

// A question on the terminal. Where no Enter ends its line, its end does: whatever is said next begins a line.
struct question {
    explicit question(std::string_view text) noexcept { put(text); }
    question(const question&) = delete;
    question& operator=(const question&) = delete;
    ~question() {
        if (!answered) put("\n");
    }
    bool answered = false;
};

// Result: false at the end of the input, or when nothing is said.
ringlet::task<bool> ask_for_name(xfer::get_options& how) {
    question name{"File name: "};
    ringlet::line_reader lines{ringlet::standard_input()};
    std::optional<std::string> line = co_await lines.next();
    name.answered = line.has_value();
    if (!line || line->empty()) co_return false;
    how.name = *std::move(line);
    co_return true;
}

ringlet::task<> fetch_one(xfer::get_options& how, xfer::download& state, xfer::display& screen) {
    if (how.name.empty()) {
        const bool asked = co_await ask_for_name(how);
        if (!asked) throw xfer::failure{xfer::reason::usage, "no file name was given"};
        if (how.name.size() > xfer::name_bytes_max)
            throw xfer::failure{xfer::reason::usage, "the file name is too long"};
    }
    if (how.output.empty()) how.output = xfer::last_part(how.name);
    if (how.output.empty())
        throw xfer::failure{xfer::reason::usage, "the name ends in no file's name: say with -o where it goes"};
    co_await xfer::fetch(how, state, screen);
}

ringlet::task<int> fetch_until_told(xfer::get_options& how, xfer::download& state, xfer::display& screen) {
    try {
        // The wait for a signal first, while there are descriptors.
        const auto end = co_await ringlet::first_of(ringlet::until_signal(SIGINT, SIGTERM),
                                                    fetch_one(how, state, screen), screen.animate());
        if (end.index() == 0 && !state.saved) {
            const int status = 128 + std::get<0>(end);
            screen.interrupted(status);
            co_return status;
        }
        screen.saved();
        co_return 0;
    } catch (const std::exception&) {
        if (state.saved) co_return 0;  // only the words for it are missing
        const xfer::failure why = xfer::current_failure();
        screen.failed(why);
        co_return to_int(code_of(why.why()));
    }
}

ringlet::task<int> get_file(xfer::get_options how) {
    xfer::download state;
    xfer::display screen{how, state};
    screen.note(apps::engine_line());
    const int status = co_await fetch_until_told(how, state, screen);
    const apps::exit_code told = co_await screen.written();
    if (status == 0) co_return to_int(told);
    co_return status;
}

}  // namespace

int main(int argc, char** argv) {
    xfer::options how;
    if (const auto status = xfer::parse_options(argc, argv, how)) return *status;
    std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the size limit is to be an error (EFBIG)
    if (const auto* serving = std::get_if<xfer::serve_options>(&how)) {
        apps::raise_file_limit();
        return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return serve_files(*serving); });
    }
    return ringlet::run_main(argc, argv,
                             [&](ringlet::arguments) { return get_file(std::get<xfer::get_options>(how)); });
}
