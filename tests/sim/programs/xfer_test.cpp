// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "programs.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace {

namespace net = ringlet::net;
namespace testing = ringlet::testing;
using ringlet::task;
using ringlet::task_group;
using testing::simulation;
using namespace std::chrono_literals;

const std::string& small() {
    static const std::string content = [] {
        std::string made;
        for (int i = 0; made.size() < 300; ++i) made += fmt::format("{} ", i * i);
        return made;
    }();
    return content;
}

std::string large(std::uint64_t number) {
    std::string made;
    for (std::uint64_t i = 0; made.size() < 30'000; ++i) made += fmt::format("{} ", i * number);
    return made;
}

xfer::serve_options site() {
    xfer::serve_options how;
    how.root = "/site";
    how.timeout = 5s;
    return how;
}

xfer::get_options wanted(const std::string& name, const std::string& output) {
    xfer::get_options how;
    how.host = "127.0.0.1";
    how.name = name;
    how.output = output;
    how.timeout = 5s;
    return how;
}

bool exists(const simulation& world, const std::string& path) { return world.read_file(path).has_value(); }

// What always holds: the file is there, whole, if and only if the program says so.
void check(const simulation& world, int status, const std::string& path, const std::string& content) {
    const auto got = world.read_file(path);
    if (status == 0 && !got) throw std::logic_error{"done, and there is no file"};
    if (got && *got != content) throw std::logic_error{"not whole: " + std::to_string(got->size())};
    if (status != 0 && got)
        throw std::logic_error{fmt::format("status {}, and there is a file; {}", status, world.errors())};
    if (status == 0 && exists(world, path + ".part")) throw std::logic_error{"done, and the part is there"};
}

// --- a connection that is cut ---

struct cut {
    bool to_client = true;
    std::size_t after = 0;  ///< so many bytes
};

task<> pump(net::tcp_stream& from, net::tcp_stream& to, std::size_t limit) {
    std::array<std::byte, 256> block;
    while (limit > 0) {
        const std::size_t got = co_await from.recv(std::span{block}.first(std::min(block.size(), limit)));
        if (got == 0) co_return;
        co_await to.send_all(std::span{block}.first(got));
        limit -= got;
    }
}

// One connection, cut at both sides when so many bytes have gone one way; whoever closes ends it as well.
task<> relay(net::tcp_listener& from, const cut& where) {
    constexpr std::size_t all = 1 << 20;
    net::tcp_stream client = co_await from.accept();
    net::tcp_stream server = co_await net::tcp_stream::connect(net::endpoint::loopback_v4(xfer::port_default));
    co_await ringlet::first_of(pump(client, server, where.to_client ? all : where.after),
                               pump(server, client, where.to_client ? where.after : all));
}

task<> get_cut(task_group& group, simulation& world, const cut& where, bool& succeeded) {
    const xfer::serve_options how = site();
    auto server = group.spawn(programs::xfer_serve, how);
    co_await ringlet::sleep(10ms);  // it listens
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    auto between = group.spawn(relay, std::ref(listener), std::cref(where));
    xfer::get_options through = wanted("a", "/tmp/a");
    through.port = listener.local_endpoint().port();
    const int status = co_await programs::xfer_get(through);
    co_await between.join();
    check(world, status, "/tmp/a", small());
    succeeded = status == 0;
    if (status != 0 && status != 4) throw std::logic_error{fmt::format("status {}: {}", status, world.errors())};
    const auto part = world.read_file("/tmp/a.part");
    if (part && !small().starts_with(*part)) throw std::logic_error{"a part of something else"};
    if (part &&
        world.errors().find(fmt::format("got {} of {} bytes", part->size(), small().size())) == std::string::npos)
        throw std::logic_error{"it does not say how much has come: " + world.errors()};
    if (!succeeded) {  // and the next run goes on
        xfer::get_options again = wanted("a", "/tmp/a");
        again.resume = true;
        const int after = co_await programs::xfer_get(again);
        if (after != 0) throw std::logic_error{"it does not go on: " + world.errors()};
        check(world, after, "/tmp/a", small());
        const std::size_t there = part ? part->size() : 0;
        if (there > 0 && world.errors().find(fmt::format("; {}B were there", there)) == std::string::npos)
            throw std::logic_error{"it began anew: " + world.errors()};
    }
    world.signal(SIGTERM);
    co_await server.get();
}

bool survives(const cut& where, std::uint64_t seed) {
    simulation world{seed, testing::fault_plan::harmless()};
    world.write_file("/site/a", small());
    bool succeeded = false;
    world.run(ringlet::with_task_group(get_cut, std::ref(world), std::cref(where), std::ref(succeeded)));
    world.check();
    return succeeded;
}

// --- many clients ---

struct many {
    simulation& world;
    std::size_t whole = 0;
};

task<> get_one(many& all, std::uint64_t number) {
    const std::string output = fmt::format("/tmp/{}", number);
    const std::string name = fmt::format("{}", number % 3);
    xfer::get_options how = wanted(name, output);
    int status = co_await programs::xfer_get(how);
    check(all.world, status, output, large(number % 3));
    for (int tries = 0; status != 0 && tries < 3; ++tries) {
        how.resume = true;
        status = co_await programs::xfer_get(how);
        check(all.world, status, output, large(number % 3));
    }
    if (status == 0) ++all.whole;
}

task<> get_many(task_group& group, many& all) {
    for (std::uint64_t i = 0; i < 5; ++i) group.spawn(get_one, std::ref(all), i);
    co_return;
}

task<> serve_many(task_group& group, many& all) {
    const xfer::serve_options how = site();
    auto server = group.spawn(programs::xfer_serve, how);
    co_await ringlet::sleep(10ms);
    co_await ringlet::with_task_group(get_many, std::ref(all));
    all.world.signal(SIGINT);
    co_await server.get();
}

bool all_are_whole(simulation& world) {
    for (std::uint64_t i = 0; i < 3; ++i) world.write_file(fmt::format("/site/{}", i), large(i));
    many all{world};
    world.run(ringlet::with_task_group(serve_many, std::ref(all)));
    return all.whole == 5;
}

// --- everywhere ---

task<> serve_and_get(task_group& group, simulation& world, bool plain) {
    xfer::serve_options how = site();
    how.plain = plain;
    auto server = group.spawn(programs::xfer_serve, how);
    co_await ringlet::sleep(10ms);
    xfer::get_options one = wanted("a", "/tmp/a");
    one.plain = plain;
    const int status = co_await programs::xfer_get(one);
    if (plain) {
        if (const auto got = world.read_file("/tmp/a"); got && !small().starts_with(*got))
            throw std::logic_error{"other bytes"};
    } else {
        check(world, status, "/tmp/a", small());
    }
    world.signal(SIGTERM);
    co_await server.get();
    if (status != 0) throw std::runtime_error{"not fetched"};
}

task<> one_file(simulation& world, bool plain) {
    world.write_file("/site/a", small());
    co_await ringlet::with_task_group(serve_and_get, std::ref(world), plain);
}

}  // namespace

TEST_CASE("a connection that is cut after any byte leaves a whole file or none, and the next run goes on",
          "[programs]") {
    const bool to_client = GENERATE(true, false);
    std::size_t whole = 0;
    std::size_t cut_short = 0;
    for (std::size_t after = 0; after < 500; ++after) {
        INFO(after << (to_client ? " bytes to the client" : " bytes to the server"));
        const bool succeeded = survives({to_client, after}, after + 1);
        ++(succeeded ? whole : cut_short);
        if (whole > 10) break;  // more than is sent in all
    }
    CHECK(whole > 10);
    CHECK(cut_short >= (to_client ? 385U : 50U));
}

TEST_CASE("every client gets its file, whatever a correct kernel does", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless();
    options.seeds = 60;
    options.twice = true;
    const auto report = testing::hunt(options, all_are_whole);
    INFO(report.to_string());
    CHECK(report.succeeded == report.seeds);
}

TEST_CASE("no client gets a file that is not whole, and nothing is left behind, whatever goes wrong", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::everything(0.01);
    options.seeds = 400;
    const auto report = testing::hunt(options, [](simulation& world) {
        try {
            return all_are_whole(world);
        } catch (const std::logic_error&) {
            throw;
        } catch (const std::exception&) {
            return false;  // the server could not begin
        }
    });
    INFO(report.to_string());
    CHECK(report.succeeded < report.seeds);
}

TEST_CASE("a disk that is full is told, and leaves no file under the name", "[programs]") {
    simulation world{1};
    world.write_file("/site/0", large(0));
    world.set_disk_bytes(large(0).size() + 10'000);
    const auto run = [](simulation& in) -> task<> {
        const auto both = [](task_group& group, simulation& here) -> task<> {
            const xfer::serve_options how = site();
            auto server = group.spawn(programs::xfer_serve, how);
            co_await ringlet::sleep(10ms);
            const int status = co_await programs::xfer_get(wanted("0", "/tmp/0"));
            check(here, status, "/tmp/0", large(0));
            if (status != 3) throw std::logic_error{fmt::format("status {}", status)};
            here.signal(SIGTERM);
            co_await server.get();
        };
        co_await ringlet::with_task_group(both, std::ref(in));
    };
    world.run(run(world));
    CHECK(world.errors().find("No space left on device") != std::string::npos);
}

TEST_CASE("a file transfer survives everything everywhere", "[programs]") {
    const bool plain = GENERATE(false, true);
    testing::everywhere_options options;
    const auto make = [plain](simulation& world) { return one_file(world, plain); };
    const auto cancelled = testing::cancel_everywhere(make, options);
    INFO("cancelled: " << cancelled.to_string());
    CHECK(cancelled.points > 20);
    CHECK(cancelled.cancelled > cancelled.points);
    const auto failed = testing::fail_everywhere(make, options);
    INFO("failed: " << failed.to_string());
    CHECK(failed.completed > 0);
    CHECK(failed.failed > 0);
}
