// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "chat/commands.hpp"
#include "chat/text.hpp"
#include "common/width.hpp"

#include <string>

namespace {

using chat::command;
using chat::parse_command;

void check(std::string_view line, command::kind what, std::string_view text) {
    INFO(line);
    const command parsed = parse_command(line);
    CHECK(parsed.what == what);
    CHECK(parsed.text == text);
}

}  // namespace

TEST_CASE("a slash begins a command, two a message", "[chat]") {
    using enum command::kind;
    check("", message, "");
    check("hello /quit", message, "hello /quit");
    check(" /quit", message, " /quit");
    check("//", message, "/");
    check("//quit", message, "/quit");
    check("///", message, "//");
    check("/", unknown, "/");
    check("/quit", quit, "");
    check("/quit ", quit, "");
    check("/quit now", unknown, "/quit now");
    check("/QUIT", unknown, "/QUIT");
    check("/help", help, "");
    check("/who", who, "");
    check("/nick", nick, "");
    check("/nick \t Ada  L ", nick, "Ada  L");
    check("/nickname", unknown, "/nickname");
}

TEST_CASE("a nick is printable, short, and without spaces around it", "[chat]") {
    CHECK(chat::clean_nick(" Ada ") == "Ada");
    CHECK(chat::clean_nick("") == "");
    CHECK(chat::clean_nick("   ") == "");
    CHECK(chat::clean_nick("a\x1b[2J") == "a\\x1b[2J");
    for (const std::string& wanted : {std::string(1000, 'x'), std::string("日") + std::string(500, '\xff'), "a" + [] {
                                          std::string marks;
                                          for (int i = 0; i < 1000; ++i) marks += "\u0301";
                                          return marks;
                                      }()}) {
        const std::string nick = chat::clean_nick(wanted);
        CHECK(nick.size() <= 64);
        CHECK(apps::cells_of(nick) <= 20);
        CHECK(chat::clean_nick(nick).size() <= 64);
    }
}

TEST_CASE("of a message of very many lines the first ones are shown, and how many there are more", "[chat]") {
    const std::string fits = std::string(49, '\n') + "x";
    CHECK(chat::shown(fits, fits.size()).size() == 50);
    const std::string text = std::string(1199, '\n') + "x";
    const auto lines = chat::shown(text, text.size());
    REQUIRE(lines.size() == 51);
    CHECK(lines.back() == "[1150 more lines]");
}
