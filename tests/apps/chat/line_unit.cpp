// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "chat/terminal/clusters.hpp"
#include "chat/terminal/input_line.hpp"
#include "chat/terminal/line_editor.hpp"
#include "common/width.hpp"
#include <ringlet/io/fd.hpp>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>

// libtinfo keeps eight bytes of each terminal but the last; the program has one.
extern "C" const char* __lsan_default_suppressions() { return "leak:libtinfo"; }

namespace {

using ringlet::io::owned_fd;

struct terminal {
    owned_fd window{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    owned_fd program;

    terminal() {
        REQUIRE(::grantpt(window.get()) == 0);
        REQUIRE(::unlockpt(window.get()) == 0);
        program = owned_fd{::open(::ptsname(window.get()), O_RDWR | O_NOCTTY | O_CLOEXEC)};
        REQUIRE(program);
    }
};

std::vector<std::size_t> stops(std::wstring_view text) {
    std::vector<std::size_t> all;
    for (std::size_t at = 0; at < text.size();) all.push_back(at = chat::cluster_after(text, at));
    return all;
}

std::vector<std::size_t> stops_backwards(std::wstring_view text) {
    std::vector<std::size_t> all;
    for (std::size_t at = text.size(); at > 0; at = chat::cluster_before(text, at)) all.push_back(at);
    std::ranges::reverse(all);
    return all;
}

}  // namespace

TEST_CASE("the cursor stops where a reader sees characters end", "[chat][line]") {
    const auto check = [](std::wstring_view text, const std::vector<std::size_t>& expected) {
        CHECK(stops(text) == expected);
        CHECK(stops_backwards(text) == expected);
    };
    check(L"", {});
    check(L"a日é", {1, 2, 3});
    check(L"e\u0301a\u0308\u0304x", {2, 5, 6});
    check(L"👩\u200d🚀x", {3, 4});
    check(L"👍🏽👍", {2, 3});
    check(L"❤\ufe0f!", {2, 3});
    check(L"🇩🇪🇫🇷x", {2, 4, 5});
    check(L"\u0301x", {1, 2});  // a mark on nothing
}

TEST_CASE("a line is shown around its cursor, in no more cells than there are", "[chat][line]") {
    const std::wstring text = L"日本語 abc e\u0301\u0308 👩\u200d🚀 xyz \x1b[2J end 0123456789";
    for (std::size_t cells = 1; cells < 70; ++cells) {
        std::size_t begin = 0;
        for (std::size_t step = 0; step <= 3 * text.size(); ++step) {
            const std::size_t turn = step % (2 * text.size());
            const std::size_t cursor = turn <= text.size() ? turn : 2 * text.size() - turn;
            const auto view = chat::lay_out("Ada> ", text, cursor, cells, begin);
            CAPTURE(cells, cursor, view.before, view.after);
            REQUIRE(begin <= cursor);
            REQUIRE(apps::cells_of(view.before + view.after) <= std::max<std::size_t>(cells, 5));
            REQUIRE((view.before + view.after).find('\x1b') == std::string::npos);
        }
    }
}

TEST_CASE("what is hidden of a line is marked", "[chat][line]") {
    std::size_t begin = 0;
    const auto at = [&begin](std::wstring_view text, std::size_t cursor) {
        const auto view = chat::lay_out("> ", text, cursor, 10, begin);
        return view.before + "|" + view.after;
    };
    CHECK(at(L"", 0) == "> |");
    CHECK(at(L"12345678", 8) == "> 12345678|");
    CHECK(at(L"123456789", 9) == "> <456789|");
    CHECK(at(L"123456789", 3) == "> <|456789");
    CHECK(at(L"123456789", 2) == "> <|345678>");
    CHECK(at(L"123456789", 0) == "> |123456>");
    CHECK(at(L"12345678", 8) == "> 12345678|");
    CHECK(at(L"日本語日本語", 6) == "> <日本語|");
}

TEST_CASE("a terminal that wraps a line anew moves its end so many rows down", "[chat][line]") {
    CHECK(chat::row_of_end("", 10) == 0);
    CHECK(chat::row_of_end("123456789", 10) == 0);
    CHECK(chat::row_of_end("12345678901", 10) == 1);
    CHECK(chat::row_of_end("123456789012345678901", 10) == 2);
    CHECK(chat::row_of_end("日本語", 5) == 1);
    CHECK(chat::row_of_end("日本語日本", 5) == 2);
}

TEST_CASE("an editor gives lines, and takes no more after the end", "[chat][line]") {
    terminal where;
    chat::line_editor editor{where.program.get()};
    editor.type("one\rtwo\n\n\r\nthree");
    CHECK(editor.lines() == std::deque<std::string>{"one", "two"});
    CHECK((editor.text() == L"three"));
    CHECK(editor.cursor() == 5);
    editor.type("\x04");  // Ctrl-D means the end on an empty line only
    CHECK_FALSE(editor.ended());
    editor.type("\x15\x04more\r");
    CHECK(editor.ended());
    CHECK(editor.lines().size() == 2);
}

TEST_CASE("an editor edits in every script", "[chat][line]") {
    terminal where;
    chat::line_editor editor{where.program.get()};
    const auto line = [&editor](std::string_view keys) {
        editor.type(keys);
        editor.type("\r");
        const std::string text = editor.lines().empty() ? std::string{} : editor.lines().front();
        editor.lines().clear();
        return text;
    };
    CHECK(line("日本語\x1b[D\x7f") == "日語");
    CHECK(line("ÀÉÿ ñ×") == "ÀÉÿ ñ×");
    CHECK(line("naïve äöü 日本\x17\x17") == "naïve ");
    CHECK(line("e\u0301x\x02\x02\x04") == "x");
    CHECK(line("one two\x01\x0b\x19\x19") == "one twoone two");
    CHECK(line("\x10") == "one twoone two");
    CHECK(line("\x10\x10") == "x");
    CHECK(line("\x10") == "x");  // the history begins at its end again
    CHECK(line("tab\there") == "tab\there");
}

TEST_CASE("an editor takes a very long line, to its limit", "[chat][line]") {
    terminal where;
    chat::line_editor editor{where.program.get()};
    editor.type(std::string(20'000, 'x'));
    CHECK(editor.text().size() == 8192);
    CHECK(editor.take_refused() == 20'000 - 8192);
    CHECK(editor.take_refused() == 0);
    editor.type("\x01\x0b");
    for (int i = 0; i < 5; ++i) editor.type("\x19");  // what was killed, again and again
    editor.type("\r");
    CHECK(editor.lines().front().size() <= std::size_t{5} * 8192);
}

TEST_CASE("many editors come and go, each with its history", "[chat][line]") {
    for (int i = 0; i < 20; ++i) {
        terminal where;
        chat::line_editor editor{where.program.get()};
        editor.type("\x10x\r");
        CHECK(editor.lines() == std::deque<std::string>{"x"});
    }
}
