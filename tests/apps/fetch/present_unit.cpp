// SPDX-License-Identifier: MIT
// Files that are there already: many items of one name look at each of them once, and believe nothing that has changed.
#include "catch.hpp"
#include "fetch/destination.hpp"
#include "fetch/present_file.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/testing/simulation.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

namespace fs = ringlet::fs;
namespace sys = ringlet::io::sys;
using ringlet::task;
using ringlet::task_group;
using ringlet::testing::simulation;

constexpr std::size_t many = 200;
// Twice as many files must not cost much more than twice as much.
constexpr std::uint64_t calls_each = 20;

std::string content_of(std::size_t which) { return fmt::format("content {}", which); }

fetch::part_state version_of(std::size_t which, bool with_length = true) {
    fetch::part_state version;
    version.url = fmt::format("http://example.org/{}/x", which);
    version.validator = "\"1\"";
    if (with_length) version.total = content_of(which).size();
    return version;
}

apps::wanted_digest digest_of(const std::string& text, apps::digest_algorithm algorithm) {
    apps::digest digest{algorithm};
    digest.update(ringlet::as_bytes(text));
    apps::wanted_digest wanted;
    wanted.algorithm = algorithm;
    wanted.hex = digest.hex();
    return wanted;
}

// x, x.1, x.2, ..., each of another version.
task<fetch::present_files*> make_files(simulation& world, fetch::destination& where) {
    for (std::size_t i = 0; i < many; ++i) {
        const std::string name = i == 0 ? "x" : fmt::format("x.{}", i);
        world.write_file("/tmp/out/" + name, content_of(i));
        const auto how = fs::open_options{O_RDWR}.at(where.directory());
        const fs::file file = co_await fs::open(name, how);
        fetch::mark_version(file.descriptor().get(), version_of(i));
    }
    CHECK(where.claim("x") == fmt::format("x.{}", many));
    co_return where.present("x");
}

std::string name_of(std::size_t which) { return which == 0 ? "x" : fmt::format("x.{}", which); }

task<> look_for_versions(simulation& world) {
    fetch::destination where{"/tmp/out"};
    fetch::present_files* const present = co_await make_files(world, where);
    REQUIRE(present != nullptr);
    const std::uint64_t before = sys::calls;
    for (const bool with_length : {true, false})
        for (std::size_t i = 0; i < many; ++i)
            CHECK(present->of_version(where, version_of(i, with_length)) == name_of(i));
    CHECK(!present->of_version(where, version_of(many)));
    CHECK(sys::calls - before < 2 * many * calls_each);
    world.write_file("/tmp/out/x.1", "content Z");
    CHECK(!present->of_version(where, version_of(1)));
}

task<> look_for_one(fetch::present_files& present, const fetch::destination& where, std::size_t which) {
    for (const auto algorithm : {apps::digest_algorithm::sha256, apps::digest_algorithm::md5}) {
        const auto found = co_await present.with_digest(where, digest_of(content_of(which), algorithm));
        CHECK(found == name_of(which));
    }
}

task<> look_for_all(task_group& group, fetch::present_files& present, const fetch::destination& where) {
    for (std::size_t i = 0; i < many; ++i) group.spawn(look_for_one(present, where, many - 1 - i));
    co_return;
}

task<> look_for_digests(simulation& world) {
    fetch::destination where{"/tmp/out"};
    fetch::present_files* const present = co_await make_files(world, where);
    REQUIRE(present != nullptr);
    const std::uint64_t before = sys::calls;
    co_await ringlet::with_task_group(look_for_all, std::ref(*present), std::cref(where));
    constexpr auto sha256 = apps::digest_algorithm::sha256;
    const apps::wanted_digest none = digest_of("nothing", sha256);
    const apps::wanted_digest first = digest_of(content_of(1), sha256);
    const auto nothing = co_await present->with_digest(where, none);
    CHECK(!nothing);
    CHECK(sys::calls - before < 2 * many * calls_each);
    world.write_file("/tmp/out/x.1", "content Z");
    const auto changed = co_await present->with_digest(where, first);
    CHECK(!changed);
}

}  // namespace

TEST_CASE("many files of one name are each opened once to find versions", "[fetch]") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        simulation world{seed};
        world.run(look_for_versions(world));
    }
}

TEST_CASE("many files of one name are each read once to find checksums", "[fetch]") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        simulation world{seed};
        world.run(look_for_digests(world));
    }
}
