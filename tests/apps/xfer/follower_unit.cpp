// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "xfer/follower.hpp"
#include <ringlet/io/fd.hpp>
#include <ringlet/os/run_main.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using ringlet::task;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

// A file of zeros.
ringlet::io::owned_fd zeros(std::uint64_t bytes) {
    ringlet::io::owned_fd file{::memfd_create("follower", MFD_CLOEXEC)};
    REQUIRE(file);
    REQUIRE(::ftruncate(file.get(), static_cast<off_t>(bytes)) == 0);
    return file;
}

apps::digest nothing_yet() { return apps::digest{apps::digest_algorithm::sha256}; }

task<std::string> follow_at_once(std::uint64_t bytes) {
    const ringlet::io::owned_fd file = zeros(bytes);
    xfer::follower hash{file, nothing_yet(), 0};
    hash.written(bytes);
    co_await hash.keep_up();
    co_return co_await hash.finish();
}

task<> follow_what_is_not_there(bool to_the_end) {
    const ringlet::io::owned_fd file = zeros(mib);
    xfer::follower hash{file, nothing_yet(), 0};
    hash.written(200 * mib);
    if (to_the_end)
        co_await hash.finish();
    else
        co_await hash.keep_up();
}

}  // namespace

TEST_CASE("who writes far ahead of the hash waits for it, and it is that of all bytes", "[xfer]") {
    constexpr std::uint64_t bytes = 80 * mib;  // further than it may be behind
    apps::digest expected = nothing_yet();
    const std::vector<std::byte> zero(mib);
    for (std::uint64_t at = 0; at < bytes; at += mib) expected.update(zero);
    CHECK(ringlet::run(follow_at_once, bytes) == expected.value());
}

TEST_CASE("a file that has become shorter ends the wait", "[xfer]") {
    const bool to_the_end = GENERATE(false, true);
    CHECK_THROWS_AS(ringlet::run(follow_what_is_not_there, to_the_end), std::runtime_error);
}
