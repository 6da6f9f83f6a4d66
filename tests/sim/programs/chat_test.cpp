// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "programs.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <linux/io_uring.h>

namespace {

namespace net = ringlet::net;
namespace testing = ringlet::testing;
using namespace std::chrono_literals;

constexpr std::uint16_t port = 7778;

// Says its line when its turn comes, and is there to the end.
ringlet::task<> say_one_line(unsigned number, std::vector<std::string>& said) {
    auto socket = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    co_await ringlet::sleep(10ms + number * 100us);
    const std::string line = fmt::format("line {}", number);
    co_await socket.send_to(ringlet::as_bytes(line), net::endpoint::loopback_v4(port));
    said.push_back(fmt::format("{}: {}", socket.local_endpoint(), line));
    co_await ringlet::sleep(2s);
}

ringlet::task<> say_all(std::vector<std::string>& said, unsigned lines) {
    const auto start = [](ringlet::task_group& group, std::vector<std::string>& into,
                          unsigned count) -> ringlet::task<> {
        for (unsigned i = 0; i < count; ++i) group.spawn(say_one_line, i, std::ref(into));
        co_return;
    };
    co_await ringlet::with_task_group(start, std::ref(said), lines);
}

// Whose input ends when all has been said; or a signal comes.
enum class ending : std::uint8_t { input, signal };

ringlet::task<int> hear_all(ringlet::task_group& group, testing::simulation& world, std::vector<std::string>& said,
                            const chat::options& how, unsigned lines, ending by) {
    auto chat = group.spawn(programs::chat, std::cref(how));
    co_await say_all(said, lines);
    if (by == ending::signal)
        world.signal(SIGINT);
    else
        world.end_input();
    co_return co_await chat.get();
}

// Result: the chat's exit status.
int hear(testing::simulation& world, std::vector<std::string>& said, unsigned lines, ending by) {
    chat::options how;
    how.port = port;
    return world.run(ringlet::with_task_group(hear_all, std::ref(world), std::ref(said), std::cref(how), lines, by));
}

// So many messages each from some senders, evenly within `length`.
ringlet::task<> flood(unsigned number, unsigned messages, std::chrono::nanoseconds length) {
    auto socket = net::udp_socket::bind(net::endpoint::loopback_v4(static_cast<std::uint16_t>(9000 + number)));
    for (unsigned i = 0; i < messages; ++i) {
        co_await ringlet::sleep(length / messages);
        const std::string text = fmt::format("{}", i);
        co_await socket.send_to(ringlet::as_bytes(text), net::endpoint::loopback_v4(port));
    }
}

ringlet::task<int> hear_floods(ringlet::task_group& group, testing::simulation& world, const chat::options& how,
                               unsigned senders, unsigned messages, std::chrono::nanoseconds length) {
    auto chat = group.spawn(programs::chat, std::cref(how));
    co_await ringlet::sleep(10ms);
    std::vector<ringlet::job<>> floods;
    for (unsigned i = 0; i < senders; ++i) floods.push_back(ringlet::spawn(flood, i, messages, length));
    for (auto& one : floods) co_await one.join();
    co_await ringlet::sleep(5s);
    world.end_input();
    co_return co_await chat.get();
}

ringlet::task<int> hear_one(ringlet::task_group& group, testing::simulation& world, const chat::options& how) {
    auto chat = group.spawn(programs::chat, std::cref(how));
    co_await ringlet::sleep(10ms);
    co_await flood(0, 1, 1ms);
    co_await ringlet::sleep(1s);
    world.end_input();
    co_return co_await chat.get();
}

struct flooded {
    std::size_t shown;
    std::vector<std::size_t> totals;  // that it told
};

flooded under_flood(std::uint32_t limit, unsigned senders, unsigned messages, std::chrono::nanoseconds length) {
    testing::simulation world{1};
    chat::options how;
    how.port = port;
    how.limit = limit;
    const int status =
        world.run(ringlet::with_task_group(hear_floods, std::ref(world), std::cref(how), senders, messages, length));
    CHECK(status == 0);
    flooded result{static_cast<std::size_t>(std::ranges::count(world.output(), '\n')), {}};
    std::istringstream said{world.errors()};
    for (std::string line; std::getline(said, line);)
        if (line.find(" not shown: more than ") != std::string::npos) result.totals.push_back(std::stoul(line));
    return result;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
}

}  // namespace

TEST_CASE("10000 clients send one datagram each to one chat, and what arrived is what is shown", "[programs]") {
    testing::simulation world{1, testing::fault_plan{}.with(testing::fault::datagram_lost, 0.05)};
    std::vector<std::string> said;
    const int status = hear(world, said, 10'000, ending::input);
    CHECK(status == 0);
    REQUIRE(said.size() == 10'000);

    std::vector<std::string> shown = lines_of(world.output());
    const std::size_t lost = world.faults()[testing::fault::datagram_lost];
    CHECK(lost > 400);
    CHECK(lost < 600);
    CHECK(shown.size() == said.size() - lost);
    std::ranges::sort(shown);
    std::ranges::sort(said);
    CHECK(std::ranges::adjacent_find(shown) == shown.end());
    CHECK(std::ranges::includes(said, shown));
}

TEST_CASE("a chat shows each datagram as often as it came, whatever a correct kernel and a bad network do",
          "[programs]") {
    using testing::fault;
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless()
                         .with(fault::no_buffers, 0)  // an error to the clients
                         .with(fault::datagram_lost, 0.1)
                         .with(fault::datagram_duplicated, 0.1)
                         .with(fault::datagram_delayed, 0.1);
    options.seeds = 100;
    options.twice = true;
    const auto report = testing::hunt(options, [](testing::simulation& world) {
        std::vector<std::string> said;
        const int status = hear(world, said, 20, ending::signal);
        std::vector<std::string> shown = lines_of(world.output());
        const std::size_t came =
            said.size() - world.faults()[fault::datagram_lost] + world.faults()[fault::datagram_duplicated];
        if (shown.size() != came) return false;
        std::ranges::sort(shown);
        std::ranges::sort(said);
        shown.erase(std::ranges::unique(shown).begin(), shown.end());
        return status == 128 + SIGINT && std::ranges::includes(said, shown);
    });
    INFO(report.to_string());
    CHECK(report.succeeded == report.seeds);
}

TEST_CASE("a chat leaves nothing behind, whatever goes wrong", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::everything(0.01);
    options.seeds = 300;
    const auto report = testing::hunt(options, [](testing::simulation& world) {
        std::vector<std::string> said;
        try {
            return hear(world, said, 10, ending::signal) == 128 + SIGINT;
        } catch (const std::logic_error&) {
            throw;
        } catch (const std::exception&) {
            return false;
        }
    });
    INFO(report.to_string());
    CHECK(report.succeeded < report.seeds);
}

TEST_CASE("1000 messages of three senders within half a second are all shown", "[programs]") {
    const flooded result = under_flood(chat::options{}.limit, 3, 334, 500ms);
    CHECK(result.shown == 1002);
    CHECK(result.totals.empty());
}

TEST_CASE("what a limit drops is told as one total", "[programs]") {
    const flooded result = under_flood(100, 3, 1000, 500ms);
    CHECK(result.shown >= 3U * 149);  // the first hundred, and a hundred a second
    CHECK(result.shown < 3U * 175);   // the network spreads them
    REQUIRE(result.totals.size() == 1);
    CHECK(result.totals.front() + result.shown == 3000);
}

TEST_CASE("a flood that does not end is told of now and then", "[programs]") {
    const flooded result = under_flood(10, 1, 3000, 30s);
    CHECK(result.totals.size() == 4);  // every ten seconds, and at its end
    CHECK(std::accumulate(result.totals.begin(), result.totals.end(), result.shown) == 3000);
}

TEST_CASE("a write that a signal interrupts is done again", "[programs]") {
    chat::options how;
    how.port = port;
    const auto hear = [&how](testing::simulation& world) {
        const int status = world.run(ringlet::with_task_group(hear_one, std::ref(world), std::cref(how)));
        return status == 0 && world.output() == "127.0.0.1:9000: 0\n" && lines_of(world.errors()).size() == 2;
    };
    const auto operations = [&hear] {
        testing::simulation undisturbed{1};
        REQUIRE(hear(undisturbed));
        return undisturbed.operations();
    }();
    std::size_t writes = 0;
    for (std::uint64_t i = 0; i < operations.size(); ++i) {
        if (operations[i] != IORING_OP_WRITE) continue;
        ++writes;
        testing::simulation world{1};
        world.fail_operation({i + 1, EINTR});
        CHECK(hear(world));
    }
    CHECK(writes >= 3);
}
