// SPDX-License-Identifier: MIT
// A web server that lies as its seed says, for ringlet-fetch to be run against: the one of the simulator, over real sockets.
// usage: lying-origin SEED FILES [--beyond-detection]
//
// It prints its port. Standard input is for whoever knows that it lies, a word a line, each answered by "." alone or before
// it what was asked for:
//   versions  what each file has ever been: "NUMBER SHA256", the first first
//   told      how many lies there were
//   truth     no more lies from now on, and each file is what it was first
// It ends with its input.
#include "common/digest.hpp"
#include "lying_server.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/standard_input.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
namespace net = ringlet::net;

std::string sha256(std::string_view content) {
    apps::digest sum{apps::digest_algorithm::sha256};
    sum.update(ringlet::as_bytes(content));
    return sum.hex();
}

struct site {
    site(std::uint64_t seed, std::size_t files, bool beyond_detection)
        : roll{seed}, origin{~seed, temper(beyond_detection)}, files{files} {
        for (std::size_t i = 0; i < files; ++i)
            origin.add(roll.below(roll.one_in(6) ? 5'000'000 : roll.one_in(3) ? 300'000 : 8000));
    }

    lying::temper temper(bool beyond_detection) {
        constexpr std::array<unsigned, 5> lies{10, 25, 50, 75, 100};
        constexpr std::array<unsigned, 3> changes{0, 5, 25};
        lying::temper how;
        how.lies_percent = lies[roll.below(lies.size())];
        how.changes_percent = changes[roll.below(changes.size())];
        how.beyond_detection = beyond_detection;
        how.silence = 2s;
        how.pause = 40ms;
        return how;
    }

    dice roll;
    lying::origin origin;
    std::size_t files;
};

std::string answer_to(std::string_view word, site& here) {
    std::string text;
    if (word == "versions") {
        for (std::size_t i = 0; i < here.files; ++i)
            for (const lying::version& each : here.origin.file(i).all)
                text += fmt::format("{} {}\n", i, sha256(each.content));
    } else if (word == "told") {
        text = fmt::format("{}\n", here.origin.lies_told());
    } else if (word == "truth") {
        here.origin.repent();
    } else {
        throw std::invalid_argument{"versions, told or truth, not " + std::string{word}};
    }
    return text + ".\n";
}

void say(std::string_view text) {
    fmt::print("{}", text);
    std::fflush(stdout);
}

ringlet::task<> hear(site& here) {
    ringlet::line_reader words{ringlet::standard_input()};
    while (const auto word = co_await words.next()) say(answer_to(*word, here));
}

ringlet::task<> serve(site& here) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    say(fmt::format("{}\n", listener.local_endpoint().port()));
    co_await ringlet::first_of(here.origin.serve(listener), hear(here));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "usage: lying-origin SEED FILES [--beyond-detection]\n");
        return 2;
    }
    site here{std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10), argc > 3};
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) { return serve(here); });
}
