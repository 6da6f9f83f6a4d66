// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "programs.hpp"
#include <ringlet/core/task_group.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace net = ringlet::net;
namespace testing = ringlet::testing;
using namespace std::chrono_literals;

// From nothing to more than the server sends at a time.
std::size_t bytes_of(std::size_t number) {
    if (number == 199) return std::size_t{300} * 1024;
    return number % 8 == 7 ? number * 540 : number * number / 2;
}

std::string content_of(std::size_t number) {
    std::string content(bytes_of(number), '\0');
    std::uint32_t word = static_cast<std::uint32_t>(number) + 1;
    for (char& c : content) {
        word = word * 1664525 + 1013904223;
        c = static_cast<char>(word >> 24);
    }
    return content;
}

const std::string& file(std::size_t number) {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> made;
        for (std::size_t i = 0; i < 200; ++i) made.push_back(content_of(i));
        return made;
    }();
    return all[number];
}

std::string name_of(std::size_t number) { return fmt::format("f{}", number); }

ringlet::task<> serve_and_fetch(ringlet::task_group& group, testing::simulation& world, const serve::options& site,
                                const fetch::options& wanted, int& status) {
    ringlet::job<> server = group.spawn(programs::serve(site));
    co_await ringlet::sleep(10ms);  // it listens
    status = co_await programs::fetch(wanted);
    world.signal(SIGTERM);  // only now: a signal is for all that wait for it
}

struct exchange {
    int status = -1;  // of the downloader, if it ended
    std::size_t there = 0;

    exchange(testing::simulation& world, std::size_t files) {
        serve::options site;
        site.site.root = "/site";
        fetch::options wanted;
        wanted.directory = "/tmp/new/out";
        for (std::size_t i = 0; i < files; ++i) {
            world.write_file("/site/" + name_of(i), file(i));
            wanted.items.push_back({.url = "http://127.0.0.1:8080/" + name_of(i), .name = {}, .checksum = {}});
        }
        try {
            world.run(ringlet::with_task_group(serve_and_fetch, std::ref(world), std::cref(site), std::cref(wanted),
                                               std::ref(status)));
        } catch (const std::logic_error&) {
            throw;
        } catch (const std::exception&) {
            status = -1;  // one of them could not go on
        }
        look_at_files(world, wanted.directory, files);
        if (status == 0 && there != files) throw std::logic_error{"files are missing, and the downloader says nothing"};
    }

private:
    // Whatever happened: what has its name is whole. What is not may be gone on with, when the downloader says that it failed.
    void look_at_files(const testing::simulation& world, const std::string& directory, std::size_t files) {
        std::size_t parts = 0;
        for (std::size_t i = 0; i < files; ++i) {
            const auto got = world.read_file(directory + "/" + name_of(i));
            if (got && *got != file(i)) throw std::logic_error{name_of(i) + " is not what was served"};
            if (got) ++there;
            for (const char* suffix : {".part", ".part.state"})
                if (world.read_file(directory + "/" + name_of(i) + suffix)) ++parts;
        }
        const auto in_it = [&]() -> std::vector<std::string> {
            try {
                return world.list(directory);
            } catch (const std::system_error&) {
                return {};  // it was never made
            }
        }();
        if (in_it.size() != there + parts || (status == 0 && parts > 0))
            throw std::logic_error{fmt::format("left behind: {}; {}", fmt::join(in_it, " "), world.errors())};
    }
};

}  // namespace

TEST_CASE("server and downloader exchange 200 files", "[programs]") {
    testing::simulation world;
    const exchange done{world, 200};
    CHECK(done.status == 0);
    CHECK(done.there == 200);
    CHECK(world.errors().find("200 ok, 0 failed") != std::string::npos);
    CHECK(std::ranges::count(world.output(), '\n') == 201);  // where it serves, and a line for each answer
}

TEST_CASE("server and downloader exchange 200 files whatever a correct kernel does", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless();
    options.seeds = 20;
    options.twice = true;
    const auto report = testing::hunt(options, [](testing::simulation& world) {
        const exchange done{world, 200};
        if (done.status != 0) throw std::logic_error{"it failed: " + world.errors()};
        return true;
    });
    INFO(report.to_string());
    CHECK(report.succeeded == report.seeds);
}

TEST_CASE("a file has its name only when it is whole, whatever goes wrong", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::everything(0.01);
    options.seeds = 300;
    options.twice = true;
    const auto report = testing::hunt(options, [](testing::simulation& world) {
        const exchange done{world, 20};
        return done.status == 0;
    });
    INFO(report.to_string());
    CHECK(report.succeeded < report.seeds);
}

TEST_CASE("Ctrl-C at any moment leaves nothing half done", "[programs]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless();
    options.seeds = 200;
    std::size_t interrupted = 0;
    const auto report = testing::hunt(options, [&](testing::simulation& world) {
        world.after(10ms + world.seed() * 20us, [&world] { world.signal(SIGINT); });  // to both
        const exchange done{world, 20};
        if (done.status == 128 + SIGINT) ++interrupted;
        return done.status == 0 || done.status == 128 + SIGINT;
    });
    INFO(report.to_string());
    CHECK(report.succeeded == report.seeds);
    CHECK(interrupted > 50);
}
