// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/io/engine.hpp>

#include <cerrno>
#include <string>
#include <system_error>

#include <sys/resource.h>

using ringlet::io::detail::explain_unavailable;
using ringlet_tests::contains;

TEST_CASE("a sysctl that forbids io_uring is named, with the command that allows it", "[unavailable]") {
    for (const char* value : {"1", "2"}) {
        const std::string text = explain_unavailable(EPERM, value, "0", "6.8.0");
        CHECK(contains(text, "kernel.io_uring_disabled is " + std::string{value}));
        CHECK(contains(text, "sysctl -w kernel.io_uring_disabled=0"));
        CHECK_FALSE(contains(text, "seccomp"));
    }
}

TEST_CASE("a seccomp filter that denies io_uring is named, with what a container needs", "[unavailable]") {
    for (const int error : {EPERM, ENOSYS}) {
        const std::string text = explain_unavailable(error, "0", "2", "6.8.0");
        CHECK(contains(text, "seccomp"));
        CHECK(contains(text, "--security-opt"));
    }
}

TEST_CASE("a kernel without io_uring, or with one too old, is told its version", "[unavailable]") {
    for (const int error : {ENOSYS, EINVAL, EOPNOTSUPP}) {
        const std::string text = explain_unavailable(error, "", "0", "5.4.0-150-generic");
        CHECK(contains(text, "5.4.0-150-generic"));
        CHECK(contains(text, "Linux 6.1"));
    }
    // A filter that is there does not explain an argument that the kernel does not know.
    CHECK(contains(explain_unavailable(EINVAL, "", "2", "5.10.0"), "too old"));
}

TEST_CASE("a refusal that is neither sysctl nor seccomp points to the audit log", "[unavailable]") {
    CHECK(contains(explain_unavailable(EPERM, "0", "0", "6.8.0"), "security module"));
}

TEST_CASE("a shortage is reported, and no reason to take another engine", "[unavailable]") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 0;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    std::error_code code;
    try {
        static_cast<void>(ringlet::io::make_engine());
    } catch (const std::system_error& error) {
        code = error.code();
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(code == std::errc::too_many_files_open);
}
