// SPDX-License-Identifier: MIT
// What ringlet-fetch says where nothing is drawn, second by second of virtual time.
#include "catch.hpp"
#include "fetch/board.hpp"
#include "fetch/display.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/testing/simulation.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using ringlet::task;

namespace {

constexpr std::uint64_t KiB = 1024;

fetch::options options_for(std::size_t items) {
    fetch::options how;
    for (std::size_t i = 0; i < items; ++i) how.items.push_back({"http://example.org/" + std::to_string(i), {}, {}});
    return how;
}

// A part of a run: what a downloader would do.
using script = std::function<task<>(fetch::board&, fetch::display&)>;

task<> run_script(const fetch::options& how, const script& play, bool interrupted) {
    fetch::board board{how.items};
    fetch::display screen{board, how};
    co_await ringlet::first_of(play(board, screen), screen.animate());
    screen.finish(interrupted);
    co_await screen.written();
}

struct said {
    std::vector<std::string> errors;
    std::vector<std::string> events;

    said(const fetch::options& how, const script& play, bool interrupted = false) {
        ringlet::testing::simulation world;
        world.run(run_script(how, play, interrupted));
        errors = lines(world.errors());
        events = lines(world.output());
    }

private:
    static std::vector<std::string> lines(const std::string& text) {
        std::vector<std::string> all;
        std::istringstream in{text};
        for (std::string line; std::getline(in, line);) all.push_back(line);
        return all;
    }
};

std::size_t count(const std::vector<std::string>& lines, const std::string& words) {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.find(words) != std::string::npos; }));
}

fetch::transfer& begin(fetch::board& board, fetch::display& screen, std::uint64_t total) {
    fetch::transfer& t = *board.take();
    t.name = t.what->url.substr(t.what->url.rfind('/') + 1);
    t.total_bytes = total;
    screen.started(t);
    return t;
}

void save(fetch::board& board, fetch::display& screen, fetch::transfer& t) {
    screen.saved(t);
    board.saved(t);
}

task<> grow(fetch::transfer& t, std::uint64_t by, int seconds) {
    for (int i = 0; i < seconds; ++i) {
        co_await ringlet::sleep(500ms);  // between the seconds, when others look
        t.done_bytes += by;
        t.moved = ringlet::clock::now();
        co_await ringlet::sleep(500ms);
    }
}

task<> half_a_minute(fetch::board& board, fetch::display& screen) {
    fetch::transfer& t = begin(board, screen, 35 * KiB);
    co_await grow(t, KiB, 35);
    save(board, screen, t);
}

task<> resume_at_half(fetch::board& board, fetch::display& screen) {
    fetch::transfer& t = begin(board, screen, 100 * KiB);
    t.done_bytes = t.resumed_bytes = 50 * KiB;
    screen.resuming(t);
    co_await grow(t, KiB, 25);
    CHECK(board.progress().active.front().bytes_per_second == 1024);
    CHECK(board.progress().active.front().eta == 25s);
    CHECK(board.progress().eta == 25s);
    co_await grow(t, KiB, 25);
    save(board, screen, t);
}

task<> fall_back_to_a_third(fetch::board& board, fetch::display& screen) {
    fetch::transfer& t = begin(board, screen, 30 * KiB);
    co_await grow(t, KiB, 20);
    screen.retrying(t, fetch::failure{fetch::reason::truncated, "truncated"}, 2, 5, 4s);
    t.done_bytes = 10 * KiB;
    const apps::progress_state after = board.progress();
    CHECK(after.done_bytes == 10 * KiB);
    CHECK(after.active.front().done_bytes == 10 * KiB);
    CHECK(after.bytes_per_second > 0);  // what comes again was on the wire twice; it is in the file once
    co_await grow(t, KiB, 20);
    CHECK(board.progress().bytes_per_second == 1024);
    save(board, screen, t);
}

task<> stand_still(fetch::board& board, fetch::display& screen) {
    fetch::transfer& t = begin(board, screen, 30 * KiB);
    co_await grow(t, KiB, 1);
    CHECK_FALSE(board.progress().active.front().stalled);
    co_await ringlet::sleep(6s);
    CHECK(board.progress().active.front().stalled);
    CHECK_FALSE(board.progress().active.front().eta.has_value());
    save(board, screen, t);
}

task<> one_of_each(fetch::board& board, fetch::display& screen) {
    fetch::transfer& saved = begin(board, screen, 10);
    fetch::transfer& skipped = begin(board, screen, 10);
    fetch::transfer& failed = begin(board, screen, 10);
    fetch::transfer& held = begin(board, screen, 10);
    saved.done_bytes = 10;
    save(board, screen, saved);
    screen.skipped(skipped, "there already");
    board.skipped(skipped, "there already");
    const fetch::failure why = fetch::failure{fetch::reason::status, "404 \x1b[2J"}.with_status(404);
    screen.failed(failed, why);
    board.failed(failed, why);
    held.done_bytes = 4;
    screen.kept_part(false);
    co_return;
}

task<> skip_all(fetch::board& board, fetch::display& screen) {
    while (fetch::transfer* t = board.take()) {
        screen.skipped(*t, "there");
        board.skipped(*t, "there");
    }
    co_await ringlet::yield();
}

}  // namespace

TEST_CASE("off a terminal the total is said every ten seconds", "[fetch]") {
    const said all{options_for(2), half_a_minute};
    REQUIRE(count(all.errors, "ringlet-fetch: 0/2 files ") == 3);
    CHECK(all.errors[0] == "ringlet-fetch: 0/2 files 10.0KiB 1.0KiB/s");
    CHECK(all.errors[2] == "ringlet-fetch: 0/2 files 30.0KiB 1.0KiB/s");
    CHECK(all.errors[3] == "0: 35.0KiB in 35s, 1.0KiB/s");
}

TEST_CASE("with -q nothing is said of what goes well", "[fetch]") {
    fetch::options how = options_for(1);
    how.quiet = true;
    CHECK(said{how, half_a_minute}.errors.empty());
}

TEST_CASE("rates and times left are of this run's bytes alone", "[fetch]") {
    const said all{options_for(1), resume_at_half};
    CHECK(all.errors[0] == "ringlet-fetch: 0/1 files 60% 60.0KiB/100.0KiB 1.0KiB/s ETA 40s");
    CHECK(count(all.errors, "0: 100.0KiB in 50s, 1.0KiB/s; 50.0KiB were there") == 1);
    CHECK(all.errors.back() == "ringlet-fetch: 1 ok, 0 failed, 50.0KiB in 50s, 1.0KiB/s");
}

TEST_CASE("bytes that are fetched again are not counted twice", "[fetch]") {
    const said all{options_for(1), fall_back_to_a_third};
    CHECK(count(all.errors, "ringlet-fetch: http://example.org/0: truncated; try 2 of 5 in 4s") == 1);
    CHECK(all.errors.back().starts_with("ringlet-fetch: 1 ok, 0 failed, 30.0KiB in 40s, "));
}

TEST_CASE("what has not moved for some seconds is stalled", "[fetch]") { const said all{options_for(1), stand_still}; }

TEST_CASE("progress is an event once a second", "[fetch]") {
    fetch::options how = options_for(2);
    how.json = true;
    const said all{how, half_a_minute};
    const auto in_seconds = [](int n) { return "\"seconds\":" + std::to_string(n) + ".000}"; };
    CHECK(count(all.events, "{\"event\":\"progress\"") >= 34);
    CHECK(count(all.events, "{\"event\":\"progress\"") <= 35);
    for (int n = 1; n < 35; ++n) CHECK(count(all.events, in_seconds(n)) == 1);
    CHECK(all.events.front() == R"({"event":"start","url":"http://example.org/0","file":"0"})");
    CHECK(
        all.events[all.events.size() - 2] ==
        R"({"event":"done","url":"http://example.org/0","file":"0","bytes":35840,"total":35840,"resumed":0,"seconds":35.000})");
}

TEST_CASE("a table names what was not saved", "[fetch]") {
    fetch::options how = options_for(6);
    how.json = true;
    const said all{how, one_of_each, true};
    const std::vector<std::string> end{
        "ringlet-fetch: not saved:",
        "  skipped     http://example.org/1  there already",
        "  failed      http://example.org/2  404 \\x1b[2J",
        "  unfinished  http://example.org/3  after 4B of 10B",
        "  unfinished  http://example.org/4  not begun",
        "  unfinished  http://example.org/5  not begun",
        "ringlet-fetch: interrupted: 1 ok, 1 failed, 1 skipped, 3 not finished, 14B in 0ms, 0B/s",
        "ringlet-fetch: 1 unfinished file is kept; resume with the same command",
    };
    REQUIRE(all.errors.size() == end.size() + 3);
    CHECK(std::vector(all.errors.begin() + 3, all.errors.end()) == end);

    REQUIRE(all.events.size() == 9);  // four begin, four end
    CHECK(
        all.events[4] ==
        R"({"event":"done","url":"http://example.org/0","file":"0","bytes":10,"total":10,"resumed":0,"seconds":0.000})");
    CHECK(all.events[5] == R"({"event":"skipped","url":"http://example.org/1","file":"1","message":"there already"})");
    CHECK(all.events[6].ends_with(
        R"("error":"status","message":"404 \u001b[2J","exit_code":8,"http_status":404,"curl_code":22})"));
    CHECK(all.events[7].ends_with(
        R"("bytes":4,"total":10,"resumed":0,"seconds":0.000,"error":"interrupted","exit_code":130})"));
    CHECK(
        all.events[8] ==
        R"({"event":"summary","ok":1,"failed":1,"skipped":1,"unfinished":3,"interrupted":true,"bytes":14,"resumed":0,"seconds":0.000})");
}

TEST_CASE("a table has no more than fifty rows of a kind", "[fetch]") {
    const said all{options_for(10'000), skip_all};
    CHECK(count(all.errors, "  skipped     http://example.org/") == 50);
    CHECK(count(all.errors, "  skipped     and 9950 more") == 1);
}
