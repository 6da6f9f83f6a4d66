// SPDX-License-Identifier: MIT
#include "common/options.hpp"

#include "catch.hpp"
#include "common/colour.hpp"
#include "common/exit_codes.hpp"

#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

using namespace apps;

namespace {

struct outcome {
    std::optional<int> status;
    std::string out;
    std::string err;
    int port = 8080;
    int jobs = 0;
    bool verbose = false;
    std::string output;
    std::vector<std::string> urls;
};

outcome run(std::vector<const char*> words) {
    outcome r;
    option_parser parser{
        "ringlet-demo", "Shows how options work.", {"ringlet-demo --port 0 http://h/"}, "Exit codes: 0, 2."};
    parser.app().add_option("-p,--port", r.port, "Port")->transform(is_port());
    parser.app().add_option("-j,--jobs", r.jobs, "How many")->transform(is_whole(1, 100));
    parser.app().add_option("-o,--output", r.output, "File, - for stdout");
    parser.app().add_flag("-v,--verbose", r.verbose, "More");
    parser.app().add_option("URL", r.urls, "What to fetch");
    words.insert(words.begin(), "ringlet-demo");
    std::ostringstream out;
    std::ostringstream err;
    r.status = parser.parse(static_cast<int>(words.size()), words.data(), out, err);
    r.out = out.str();
    r.err = err.str();
    return r;
}

}  // namespace

TEST_CASE("help goes to stdout with status 0 and wins over other mistakes", "[options]") {
    for (const auto& words : std::vector<std::vector<const char*>>{
             {"--help"}, {"-h"}, {"--help", "--bogus"}, {"--bogus", "--help"}, {"-p", "x", "--help"}}) {
        const auto r = run(words);
        CHECK(r.status == 0);
        CHECK(r.err.empty());
        CHECK(r.out.find("Examples:\n  ringlet-demo --port 0") != std::string::npos);
        CHECK(r.out.find("--port") != std::string::npos);
    }
}

TEST_CASE("version is one line on stdout", "[options]") {
    for (const char* word : {"--version", "-V"}) {
        const auto r = run({word});
        CHECK(r.status == 0);
        CHECK(r.out == "ringlet-demo 0.1.0\n");
        CHECK(r.err.empty());
    }
}

TEST_CASE("an unknown option is named, with what was probably meant", "[options]") {
    const auto r = run({"--prot", "80"});
    CHECK(r.status == 2);
    CHECK(r.out.empty());
    CHECK(r.err ==
          "ringlet-demo: unknown option --prot, did you mean --port?\n"
          "Try 'ringlet-demo --help' for more information.\n");
    CHECK(run({"--outp=x"}).err.find("did you mean --output?") != std::string::npos);
    CHECK(run({"--zzzzzz"}).err ==
          "ringlet-demo: unknown option --zzzzzz\nTry 'ringlet-demo --help' for more information.\n");
    CHECK(run({"-z"}).status == 2);
    CHECK(run({"--\x1b[2J"}).err.find('\x1b') == std::string::npos);
}

TEST_CASE("bad values are usage errors", "[options]") {
    for (const auto& words :
         std::vector<std::vector<const char*>>{{"-p", "x"}, {"-p", "70000"}, {"-p", "-1"}, {"-p"}}) {
        const auto r = run(words);
        CHECK(r.status == 2);
        CHECK(r.err.find("Try 'ringlet-demo --help'") != std::string::npos);
    }
}

TEST_CASE("numbers are decimal digits and nothing else", "[options]") {
    CHECK(run({"-p", "010"}).port == 10);
    CHECK(run({"-p", "65535"}).port == 65535);
    CHECK(run({"-j", "0100"}).jobs == 100);
    for (const char* word : {"0x50", " 80", "80 ", "+80", "-80", "70000", "8e1", "99999999999999999999999"}) {
        CAPTURE(word);
        const auto r = run({"-p", word});
        CHECK(r.status == 2);
        CHECK(r.err.starts_with("ringlet-demo: --port: not a port: " + std::string{word} + " (0 to 65535)\n"));
    }
    CHECK(run({"-p", ""}).err.starts_with("ringlet-demo: --port: not a port: nothing (0 to 65535)\n"));
    CHECK(run({"-j", "0"}).err.starts_with("ringlet-demo: --jobs: not a number: 0 (1 to 100)\n"));
    CHECK(run({"-j", "0x10"}).status == 2);
}

TEST_CASE("unexpected words are named in their order", "[options]") {
    option_parser parser{"ringlet-demo", "Takes no words.", {}};
    const std::vector<const char*> words{"ringlet-demo", "a", "b"};
    std::ostringstream out;
    std::ostringstream err;
    CHECK(parser.parse(3, words.data(), out, err) == 2);
    CHECK(err.str().starts_with("ringlet-demo: unexpected words: a b\n"));
}

TEST_CASE("help that cannot be written is a failure", "[options]") {
    for (const char* word : {"--help", "--version"}) {
        option_parser parser{"ringlet-demo", "Shows how options work.", {}};
        const std::vector<const char*> words{"ringlet-demo", word};
        std::ofstream full{"/dev/full"};
        std::ostringstream err;
        CHECK(parser.parse(2, words.data(), full, err) == 1);
        CHECK(err.str() == "ringlet-demo: cannot write to standard output: No space left on device\n");
    }
}

TEST_CASE("options mix with operands in every spelling", "[options]") {
    CHECK(run({"--port=80"}).port == 80);
    CHECK(run({"--port", "80"}).port == 80);
    CHECK(run({"-p80"}).port == 80);
    const auto r = run({"http://a/", "-p", "0", "-o", "-", "http://b/"});
    CHECK_FALSE(r.status);
    CHECK(r.port == 0);
    CHECK(r.output == "-");
    CHECK(r.urls == std::vector<std::string>{"http://a/", "http://b/"});
    CHECK(run({"--", "--port", "-h"}).urls == std::vector<std::string>{"--port", "-h"});
}

TEST_CASE("an empty value is a mistake, and never the next word", "[options]") {
    for (const auto& words : std::vector<std::vector<const char*>>{
             {"--output=", "http://a/"}, {"--output", "", "http://a/"}, {"-o", "", "http://a/"}, {"--output="}}) {
        const auto r = run(words);
        CHECK(r.status == 2);
        CHECK(r.err.starts_with("ringlet-demo: --output: the value is empty\n"));
    }
    CHECK(run({"--port=", "80"}).err.starts_with("ringlet-demo: --port: not a port: nothing"));
    CHECK(run({"--output=", "--help"}).status == 0);
    CHECK(run({"--", "--output="}).urls == std::vector<std::string>{"--output="});
    CHECK(run({"-o", "--output=", "a"}).output == "--output=");
    CHECK(run({"-vo", "--output=", "a"}).output == "--output=");
    CHECK(run({"--output=a="}).output == "a=");
    CHECK(run({"--none=", "x"}).err.starts_with("ringlet-demo: unknown option --none\n"));
}

TEST_CASE("what is wrong is said in words of the command line", "[options]") {
    CHECK(run({"-j1", "--jobs", "2"}).err.starts_with("ringlet-demo: --jobs is given twice\n"));
    CHECK(run({"a", "-o"}).err.starts_with("ringlet-demo: --output: the value is missing\n"));
    CHECK(run({"--a\xef\xbb\xbf\xe2\x80\xae"}).err.starts_with("ringlet-demo: unknown option --a\\ufeff\\u202e\n"));
    CHECK(run({"--verbose=maybe"}).err.starts_with("ringlet-demo: --verbose takes no value\n"));
    CHECK(run({"--verbose="}).err.starts_with("ringlet-demo: --verbose takes no value\n"));
}

TEST_CASE("brackets and commas in a word divide nothing", "[options]") {
    CHECK(run({"[http://a/,b]", "[]", "--", "[c,d]"}).urls == std::vector<std::string>{"[http://a/,b]", "[]", "[c,d]"});
    CHECK(run({"-o", "[a,b]"}).output == "[a,b]");
}

TEST_CASE("swapped letters are one mistake", "[options]") {
    CHECK(edit_distance("prot", "port") == 1);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the exit status of many is wget's", "[exit]") {
    using enum exit_code;
    CHECK(combine(ok, ok) == ok);
    CHECK(combine(ok, other) == other);
    CHECK(combine(other, status) == status);
    CHECK(combine(status, network) == network);
    CHECK(combine(checksum, other) == checksum);
    CHECK(combine(network, interrupted) == interrupted);
    CHECK(combine(interrupted, usage) == interrupted);
}

TEST_CASE("colour follows flag, NO_COLOR, FORCE_COLOR and terminal, in this order", "[colour]") {
    std::map<std::string, std::string> vars{{"TERM", "xterm"}};
    const auto env = [&](const char* name) {
        const auto found = vars.find(name);
        return found == vars.end() ? nullptr : found->second.c_str();
    };
    CHECK(use_colour(colour_choice::automatic, true, env));
    CHECK_FALSE(use_colour(colour_choice::automatic, false, env));
    vars["NO_COLOR"] = "";
    CHECK(use_colour(colour_choice::automatic, true, env));
    vars["NO_COLOR"] = "1";
    CHECK_FALSE(use_colour(colour_choice::automatic, true, env));
    CHECK(use_colour(colour_choice::always, false, env));
    vars["FORCE_COLOR"] = "1";
    CHECK_FALSE(use_colour(colour_choice::automatic, true, env));
    vars.erase("NO_COLOR");
    CHECK(use_colour(colour_choice::automatic, false, env));
    CHECK_FALSE(use_colour(colour_choice::never, true, env));
    vars = {{"TERM", "dumb"}};
    CHECK_FALSE(use_colour(colour_choice::automatic, true, env));
    vars.clear();
    CHECK_FALSE(use_colour(colour_choice::automatic, true, env));
    CHECK(parse_colour_choice("auto") == colour_choice::automatic);
    CHECK_FALSE(parse_colour_choice("yes"));
}
