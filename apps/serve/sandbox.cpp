// SPDX-License-Identifier: MIT
#include "serve/sandbox.hpp"

#include "common/sanitizer_build.hpp"
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace serve {
namespace {

// As Linux 6.7 has it; older kernels take the beginning.
struct ruleset {
    std::uint64_t file_access;
    std::uint64_t network_access;
};

// All kinds of access to files that a kernel with this version of the interface can deny.
std::uint64_t file_access_of(long abi) noexcept {
    if (abi >= 5) return (1U << 16) - 1;  // and ioctl on devices
    if (abi >= 3) return (1U << 15) - 1;  // and truncating
    if (abi >= 2) return (1U << 14) - 1;  // and linking elsewhere
    return (1U << 13) - 1;
}

std::string because() { return fmt::format("no Landlock: {}", std::strerror(errno)); }

}  // namespace

std::string confine_to_reading(ringlet::io::fd_ref root) {
    if (ringlet::io::sys::simulated) return "nothing: the kernel is simulated";
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "nothing: " + std::string{std::strerror(errno)};
    if (apps::under_sanitizer) return "no new privileges";  // its runtime reads /proc at the end
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return "no new privileges; " + because();
    const bool with_network = abi >= 4;
    const ruleset denied{file_access_of(abi), with_network ? std::uint64_t{3} : 0};  // bind and connect
    const ringlet::io::owned_fd rules{static_cast<int>(::syscall(
        SYS_landlock_create_ruleset, &denied, with_network ? sizeof denied : offsetof(ruleset, network_access), 0))};
    if (!rules) return "no new privileges; " + because();
    landlock_path_beneath_attr reading{};
    reading.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    reading.parent_fd = root.get();
    if (::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &reading, 0) != 0 ||
        ::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
        return "no new privileges; " + because();
    return with_network ? "reading below the root, and no new connections (Landlock)"
                        : "reading below the root (Landlock)";
}

}  // namespace serve
