// SPDX-License-Identifier: MIT
#include "own_file.hpp"

#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace apps {
namespace {

namespace sys = ringlet::io::sys;

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

bool no_such_flag(const std::error_code& error) noexcept {
    return error == std::errc::invalid_argument || error == std::errc::function_not_supported;
}

// For file systems without RENAME_NOREPLACE: a second name can only be made where there is none.
std::error_code link_and_unlink(int directory, const char* from, const char* to) noexcept {
    if (sys::linkat(directory, from, directory, to, 0) != 0) return last_error();
    sys::unlinkat(directory, from, 0);
    return {};
}

}  // namespace

void let_it_wait(int fd) noexcept { sys::fcntl(fd, F_SETFL, sys::fcntl(fd, F_GETFL) & ~O_NONBLOCK); }

mode_t mode_of_new_files() noexcept {
    const mode_t mask = sys::umask(077);  // it can only be read by setting it
    sys::umask(mask);
    return 0666 & ~mask;
}

bool stands_under(int directory, const std::string& name, int fd) noexcept {
    struct stat open_one{};
    struct stat named_one{};
    return sys::fstat(fd, &open_one) == 0 &&
           sys::fstatat(directory, name.c_str(), &named_one, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_one.st_dev == named_one.st_dev && open_one.st_ino == named_one.st_ino;
}

bool is_own_file(int directory, const std::string& name, int fd, mode_t or_mode) noexcept {
    struct stat info{};
    if (sys::fstat(fd, &info) != 0 || !stands_under(directory, name, fd)) return false;
    const mode_t mode = info.st_mode & 07777;
    return S_ISREG(info.st_mode) && info.st_uid == ::geteuid() && info.st_nlink == 1 &&
           (mode == private_mode || mode == or_mode);
}

std::error_code lock_file(int fd) noexcept {
    int result = 0;
    do result = sys::flock(fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    return result == 0 ? std::error_code{} : last_error();
}

unless_kept::~unless_kept() {
    if (!kept) sys::unlinkat(directory, name.c_str(), 0);
}

std::error_code give_name(int directory, const std::string& from, const std::string& to, bool replaces) noexcept {
    const unsigned flags = replaces ? 0 : RENAME_NOREPLACE;
    std::error_code error;
    if (sys::renameat2(directory, from.c_str(), directory, to.c_str(), flags) != 0) error = last_error();
    if (!replaces && no_such_flag(error)) error = link_and_unlink(directory, from.c_str(), to.c_str());
    return error;
}

std::error_code give_first_name(int directory, int fd, const std::string& name) noexcept {
    if (sys::linkat(fd, "", directory, name.c_str(), AT_EMPTY_PATH) == 0) return {};
    if (errno != ENOENT) return last_error();
    // Without privileges that way is open to all since Linux 6.10 only.
    std::array<char, 32> path{};
    fmt::format_to_n(path.data(), path.size() - 1, "/proc/self/fd/{}", fd);
    if (sys::linkat(AT_FDCWD, path.data(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
    return last_error();
}

bool tells_at_close(int directory) noexcept {
    struct statfs disk{};
    if (sys::fstatfs(directory, &disk) != 0) return true;
    switch (static_cast<std::uint32_t>(disk.f_type)) {
        case EXT4_SUPER_MAGIC:
        case XFS_SUPER_MAGIC:
        case BTRFS_SUPER_MAGIC:
        case F2FS_SUPER_MAGIC:
        case TMPFS_MAGIC:
            return false;
        default:
            return true;
    }
}

ringlet::task<> check_written(const ringlet::fs::file& file) {
    ringlet::io::owned_fd twin{sys::fcntl(file.descriptor().get(), F_DUPFD_CLOEXEC, 0)};
    if (!twin) co_return;
    ringlet::fs::file closing{std::move(twin)};
    co_await closing.close();
}

}  // namespace apps
