// SPDX-License-Identifier: MIT
#include "scenarios.hpp"

#include <ringlet/testing/detail/kernel.hpp>

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include <unistd.h>

namespace ringlet_tests::differential {
namespace {

ringlet::testing::detail::kernel* simulated_kernel() {
    return static_cast<ringlet::testing::detail::kernel*>(sys::simulated);
}

}  // namespace

std::string as_word(const message_lease& lease) {
    const std::string_view text{reinterpret_cast<const char*>(lease.bytes().data()), lease.size()};
    std::string word =
        fmt::format("'{}' of {} bytes, name {}", text.substr(0, 20), lease.full_size(), lease.name().size());
    if (lease.control().empty()) return word;
    cmsghdr told;
    in_pktinfo info{};
    std::memcpy(&told, lease.control().data(), sizeof told);
    if (told.cmsg_len == CMSG_LEN(sizeof info)) std::memcpy(&info, lease.control().data() + CMSG_LEN(0), sizeof info);
    return word + fmt::format(", control {} of {}/{} to {:08x}", lease.control().size(), told.cmsg_level,
                              told.cmsg_type, ntohl(info.ipi_addr.s_addr));
}

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
