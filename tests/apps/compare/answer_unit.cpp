// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "compare/load/answer_check.hpp"

#include <string>
#include <string_view>

using comparison::answer_check;
using comparison::wanted_page;
using verdict = answer_check::verdict;

namespace {

const std::string body = "0123456789 abcdefghij";
const std::string by_length = "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n" + body;
// Begins as the other one does.
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n" + body + "\r\n0\r\n\r\n";

// Fed in two pieces.
verdict fed(answer_check& check, std::string_view text, std::size_t cut) {
    std::string_view first = text.substr(0, cut);
    std::string_view second = text.substr(cut);
    const verdict said = check.feed(first);
    return said == verdict::more ? check.feed(second) : said;
}

}  // namespace

TEST_CASE("An answer is right wherever it is cut, whatever the last one looked like", "[compare][load]") {
    for (const std::string& before : {by_length, chunked})
        for (const std::string& answer : {by_length, chunked})
            for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
                wanted_page page{.body = body, .known = {}};
                answer_check check{page};
                REQUIRE(fed(check, before, before.size()) == verdict::right);
                CAPTURE(before, answer, cut);
                CHECK(fed(check, answer, cut) == verdict::right);
                CHECK(check.keeps());
                CHECK(page.known->text == answer);
            }
}

TEST_CASE("Any wrong byte of a body is seen, whether the answer is known or not", "[compare][load]") {
    for (const bool is_known : {false, true})
        for (std::size_t at = by_length.size() - body.size(); at < by_length.size(); ++at)
            for (const std::size_t cut : {std::size_t{0}, at, at + 1}) {
                wanted_page page{.body = body, .known = {}};
                answer_check check{page};
                if (is_known) REQUIRE(fed(check, by_length, 0) == verdict::right);
                std::string wrong = by_length;
                wrong[at] ^= 1;
                CAPTURE(is_known, at, cut);
                CHECK(fed(check, wrong, cut) == verdict::wrong_bytes);
            }
}

TEST_CASE("What another connection learns meanwhile changes nothing for an answer that has begun", "[compare][load]") {
    for (std::size_t cut = 1; cut < by_length.size(); ++cut) {
        wanted_page page{.body = body, .known = {}};
        answer_check one{page};
        answer_check other{page};
        REQUIRE(fed(one, by_length, 0) == verdict::right);
        std::string_view begun = std::string_view{by_length}.substr(0, cut);
        REQUIRE(one.feed(begun) == verdict::more);
        REQUIRE(fed(other, chunked, 0) == verdict::right);
        std::string_view rest = std::string_view{by_length}.substr(cut);
        CAPTURE(cut);
        CHECK(one.feed(rest) == verdict::right);
    }
}

TEST_CASE("An answer that ends too early, or is another one", "[compare][load]") {
    wanted_page page{.body = body, .known = {}};
    answer_check first{page};
    std::string_view part = std::string_view{by_length}.substr(0, 50);
    CHECK(first.feed(part) == verdict::more);
    CHECK(first.finish() == verdict::cut);
    answer_check nothing{page};
    CHECK(nothing.finish() == verdict::cut);
    answer_check to_the_end{page};
    const std::string by_close = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body;
    CHECK(fed(to_the_end, by_close, 40) == verdict::more);
    CHECK(to_the_end.finish() == verdict::right);
    CHECK_FALSE(to_the_end.keeps());
    answer_check failure{page};
    CHECK(fed(failure, "HTTP/1.1 500 Oh\r\nContent-Length: 21\r\n\r\n" + body, 0) == verdict::wrong_status);
    answer_check no_answer{page};
    CHECK(fed(no_answer, "hello\r\n\r\n", 0) == verdict::no_http);
}
