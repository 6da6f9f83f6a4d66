// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "xfer/options.hpp"

#include <string>
#include <variant>
#include <vector>

namespace {

using namespace xfer;

// The exit status, or -1 where the program would go on.
int parse(std::vector<std::string> words, options& into) {
    words.insert(words.begin(), "ringlet-xfer");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return parse_options(static_cast<int>(words.size()), argv.data(), into).value_or(-1);
}

struct server_case {
    const char* said;
    const char* host;
    int port;
};

}  // namespace

TEST_CASE("HOST[:PORT] is a name or an address, with brackets where it has colons", "[xfer]") {
    for (const server_case& each : {server_case{"host", "host", 7779}, server_case{"host:80", "host", 80},
                                    server_case{"192.0.2.7:65535", "192.0.2.7", 65535}, server_case{"::1", "::1", 7779},
                                    server_case{"[::1]", "::1", 7779}, server_case{"[::1]:81", "::1", 81}}) {
        INFO(each.said);
        options how;
        REQUIRE(parse({"get", each.said, "name"}, how) == -1);
        CHECK(std::get<get_options>(how).host == each.host);
        CHECK(std::get<get_options>(how).port == each.port);
    }
    for (const char* wrong :
         {"", ":80", "host:", "host:0", "host:65536", "host:x", "[::1", "[::1]80", "[host]:80", "a:b:c"}) {
        INFO(wrong);
        options how;
        CHECK(parse({"get", wrong, "name"}, how) == 2);
    }
}

TEST_CASE("a name of the server chooses no directory here", "[xfer]") {
    CHECK(last_part("a") == "a");
    CHECK(last_part("../../etc/passwd") == "passwd");
    CHECK(last_part("a/") == "");
    CHECK(last_part("a/..") == "");
    CHECK(last_part(".") == "");
    CHECK(last_part("") == "");
}

TEST_CASE("wrong command lines are refused", "[xfer]") {
    options how;
    CHECK(parse({}, how) == 2);
    CHECK(parse({"sreve", "."}, how) == 2);
    CHECK(parse({"serve"}, how) == 2);
    CHECK(parse({"serve", ".", "--timeout", "0"}, how) == 2);
    CHECK(parse({"serve", ".", "--bind", "localhost"}, how) == 2);
    CHECK(parse({"get", "h"}, how) == 2);  // and nobody to ask
    CHECK(parse({"get", "h", ""}, how) == 2);
    CHECK(parse({"get", "h", "a/"}, how) == 2);
    CHECK(parse({"get", "h", "a", "-o", "b/"}, how) == 2);
    CHECK(parse({"get", "h", "a", "-o", "-"}, how) == 2);
    CHECK(parse({"get", "h", "a", "-o", "./-"}, how) == -1);
    CHECK(parse({"get", "h", "a", "--plain", "--resume"}, how) == 2);
    CHECK(parse({"get", "h", std::string(4097, 'n'), "-o", "b"}, how) == 2);
}
