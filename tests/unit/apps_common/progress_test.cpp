// SPDX-License-Identifier: MIT
#include "common/progress.hpp"

#include "catch.hpp"
#include "common/width.hpp"

#include <string>

using namespace std::chrono_literals;
using namespace apps;

namespace {

progress_item item(std::string name, std::uint64_t done, std::optional<std::uint64_t> total) {
    progress_item out;
    out.name = std::move(name);
    out.done_bytes = done;
    out.total_bytes = total;
    out.bytes_per_second = 1024 * 1024;
    out.eta = 4s;
    return out;
}

progress_state many(std::size_t n) {
    progress_state state;
    for (std::size_t i = 0; i < n; ++i) state.active.push_back(item("file" + std::to_string(i), 512, 1024));
    state.files_done = 3;
    state.files_total = 12;
    state.done_bytes = 120ULL << 20;
    state.total_bytes = 290ULL << 20;
    state.bytes_per_second = 14.2 * 1024 * 1024;
    state.eta = 12s;
    return state;
}

}  // namespace

TEST_CASE("the total line says what is done, how fast and what is hidden", "[progress]") {
    const auto lines = render_progress(many(6), {80, 4, false});
    REQUIRE(lines.size() == 3);
    CHECK(lines.back() == "3/12 files 41% 120.0MiB/290.0MiB 14.2MiB/s ETA 12s (+4)");
}

TEST_CASE("an item has name, bar, percent, amount, rate and ETA", "[progress]") {
    progress_state state;
    state.active.push_back(item("movie.mkv", 512, 1024));
    const auto line = render_progress(state, {80, 24, true}).front();
    CHECK(line == "movie.mkv           #####-----  50% 512B/1.0KiB 1.0MiB/s ETA 4s");
}

TEST_CASE("no line is ever wider than the window, nor are there more than it has", "[progress]") {
    auto state = many(10);
    state.active[0].name = std::string(300, 'n') + ".tar.gz";
    state.active[1].name = "世界世界世界世界世界世界世界世界世界世界世界";
    state.active[2].name =
        "evil\x1b[2J\n\x9b"
        "31m";
    state.active[3].note = "retry 2 in 4s, because the server closed the connection in the middle";
    state.active[4].total_bytes.reset();
    state.active[5].stalled = true;
    state.active[6].total_bytes = 0;
    state.active[7].done_bytes = ~0ULL;
    for (std::size_t columns = 0; columns < 200; ++columns) {
        for (const std::size_t rows : {0U, 1U, 2U, 3U, 10U, 24U}) {
            const auto lines = render_progress(state, {columns, rows, columns % 2 == 0});
            CHECK(lines.size() <= std::max<std::size_t>(1, rows > 2 ? rows - 1 : 1));
            for (const auto& line : lines) {
                if (cells_of(line) > std::max<std::size_t>(columns, 11) - 1) FAIL(columns << ": " << line);
                if (line.find('\x1b') != std::string::npos || line.find('\n') != std::string::npos) FAIL(line);
            }
        }
    }
}

TEST_CASE("without a total there is neither percent nor bar", "[progress]") {
    progress_state state;
    state.active.push_back(item("x", 2048, std::nullopt));
    state.active.front().eta.reset();
    // where bar and percent would stand, so that the columns line up
    CHECK(render_progress(state, {80, 24, true}).front() == pad_right("x", 19 + 1 + 10 + 5) + " 2.0KiB 1.0MiB/s");
}

TEST_CASE("100 percent means that all is there", "[progress]") {
    progress_state state;
    state.active.push_back(item("x", 999'999, 1'000'000));
    CHECK(render_progress(state, {80, 24, true}).front().find(" 99%") != std::string::npos);
    state.active.front().done_bytes = 2'000'000;
    CHECK(render_progress(state, {80, 24, true}).front().find("100%") != std::string::npos);
}

TEST_CASE("the screen is drawn over, finished lines stay above", "[progress]") {
    progress_screen screen;
    CHECK(screen.update({"a", "b"}, {}) == "\x1b[?7la\x1b[K\nb\x1b[K\x1b[?7h\x1b[J\r\x1b[1A");
    CHECK(screen.update({"c"}, {"done"}) == "\r\x1b[Jdone\n\x1b[?7lc\x1b[K\x1b[?7h\x1b[J\r");
    CHECK(screen.update({"d"}, {}) == "\r\x1b[?7ld\x1b[K\x1b[?7h\x1b[J\r");
    CHECK(screen.clear() == "\r\x1b[J");
    CHECK(screen.clear().empty());
}

TEST_CASE("what something else wrote is not drawn over", "[progress]") {
    progress_screen screen;
    static_cast<void>(screen.update({"a", "b"}, {}));
    screen.leave();
    CHECK(screen.update({"c"}, {"done"}) == "done\n\x1b[?7lc\x1b[K\x1b[?7h\x1b[J\r");
    CHECK(screen.update({"e"}, {}) == "\r\x1b[?7le\x1b[K\x1b[?7h\x1b[J\r");
}

TEST_CASE("a narrow window keeps name and percent", "[progress]") {
    progress_state state;
    state.active.push_back(item("archive.tar.gz", 512, 1024));
    CHECK(render_progress(state, {40, 10, false}).front() == "archiv…ar.gz  50% 512B/1.0KiB 1.0MiB/s");
    CHECK(render_progress(state, {20, 10, false}).front() == "archiv…ar.gz  50%");
}

TEST_CASE("without UTF-8 everything is ASCII and stands in the same cells", "[progress]") {
    progress_state state;
    state.active.push_back(item("archive-世界.tar.gz", 512, 1024));
    CHECK(render_progress(state, {30, 10, true}).front() == "archiv~ar.gz  50% 512B/1.0KiB");
    state.active.front().name = "世界.iso";
    CHECK(render_progress(state, {30, 10, true}).front() == "????.iso      50% 512B/1.0KiB");
}

TEST_CASE("a stalled item is shown as such instead of its rate", "[progress]") {
    progress_state state;
    state.active.push_back(item("movie.mkv", 512, 1024));
    state.active.front().stalled = true;
    CHECK(render_progress(state, {80, 24, true}).front() == "movie.mkv           #####-----  50% 512B/1.0KiB stalled");
}

TEST_CASE("the total line counts what failed and what was skipped", "[progress]") {
    progress_state state = many(6);
    state.files_failed = 2;
    state.files_skipped = 1;
    const std::string total = "3/12 files 2 failed 1 skipped 41% 120.0MiB/290.0MiB 14.2MiB/s ETA 12s";
    CHECK(render_total(state, 100) == total);
    CHECK(render_progress(state, {100, 24, false}).back() == total);
    CHECK(render_total(state, 20) == "3/12 files 2 failed…");
}
