// SPDX-License-Identifier: MIT
#include "common/file_room.hpp"

#include "catch.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/testing/simulation.hpp>

#include <cstdint>
#include <set>
#include <system_error>

#include <sys/stat.h>

namespace {

namespace fs = ringlet::fs;
namespace sys = ringlet::io::sys;
using ringlet::task;
using ringlet::testing::simulation;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

struct seen {
    std::error_code small, full, fits, has_it;
    std::uint64_t made = 0;
};

std::uint64_t room_of(const fs::file& file) {
    struct stat info{};
    REQUIRE(sys::fstat(file.descriptor().get(), &info) == 0);
    return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

task<std::error_code> try_to_make_room(fs::file& file, std::uint64_t bytes) {
    const ringlet::result<void> done = co_await ringlet::as_result(apps::make_room(file, bytes));
    co_return done ? std::error_code{} : done.error();
}

task<> ask(simulation& world, seen& found) {
    world.set_disk_bytes(8 * mib);
    fs::file file = co_await fs::open("/tmp/a", fs::open_options::create_new());
    found.small = co_await try_to_make_room(file, mib);
    CHECK(room_of(file) == 0);
    found.fits = co_await try_to_make_room(file, 8 * mib);
    found.made = room_of(file);
    found.full = co_await try_to_make_room(file, 8 * mib + 1);
    co_await file.reserve(8 * mib);  // now the disk is full, and the file has all of it
    found.has_it = co_await try_to_make_room(file, 8 * mib);
}

}  // namespace

TEST_CASE("room is made on a disk, and looked up in memory; what the file has counts", "[apps]") {
    std::set<std::uint64_t> made;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO(seed);
        simulation world{seed};
        seen found;
        world.run(ask(world, found));
        CHECK_FALSE(found.small);
        CHECK_FALSE(found.fits);
        CHECK(found.full == std::errc::no_space_on_device);
        CHECK_FALSE(found.has_it);
        made.insert(found.made);
    }
    CHECK(made == std::set<std::uint64_t>{0, 8 * mib});
}
