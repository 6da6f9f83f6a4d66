// SPDX-License-Identifier: MIT
#include "scenarios.hpp"

#include <ringlet/testing/detail/kernel.hpp>

#include <filesystem>

#include <unistd.h>

namespace ringlet_tests::differential {
namespace {

ringlet::testing::detail::kernel* simulated_kernel() {
    return static_cast<ringlet::testing::detail::kernel*>(sys::simulated);
}

}  // namespace

local_pair::local_pair() {
    std::array<int, 2> ends{};
    REQUIRE(sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    a = owned_fd{ends[0]};
    b = owned_fd{ends[1]};
}

folder::folder() {
    static int made = 0;
    path = "/tmp/ringlet-differential-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
    REQUIRE(sys::mkdir(path.c_str(), 0700) == 0);
    fd = owned_fd{sys::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    REQUIRE(fd);
}
folder::~folder() {
    if (!sys::simulated) std::filesystem::remove_all(path);
}
owned_fd folder::file(const char* name, int flags, std::string_view content) const {
    owned_fd made{sys::openat(fd.get(), name, flags | O_CLOEXEC, 0600)};
    REQUIRE(made);
    if (!content.empty())
        REQUIRE(sys::write(made.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    return made;
}
void folder::directory(const char* name) const { REQUIRE(sys::mkdir((path + "/" + name).c_str(), 0700) == 0); }
// What only tests need is no part of io::sys: the simulated kernel is asked by its own names.
void folder::link(const char* target, const char* name) const {
    if (auto* kernel = simulated_kernel())
        REQUIRE(kernel->files().make_link(target, kernel->file(fd.get()).get(), name) == 0);
    else
        REQUIRE(::symlinkat(target, fd.get(), name) == 0);
}

}  // namespace ringlet_tests::differential
