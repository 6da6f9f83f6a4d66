// SPDX-License-Identifier: MIT
#include "file_room.hpp"

#include <ringlet/io/system_calls.hpp>

#include <system_error>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

namespace apps {
namespace {

namespace sys = ringlet::io::sys;

constexpr std::uint64_t small_bytes = std::uint64_t{4} << 20;
constexpr std::uint64_t unit_of_stat = 512;  // st_blocks, whatever st_blksize says

// A file system without a limit says that it has no blocks.
bool has_room(const struct statfs& memory, std::uint64_t bytes) noexcept {
    const auto block = static_cast<std::uint64_t>(memory.f_bsize);
    return memory.f_blocks == 0 || bytes / block + (bytes % block == 0 ? 0 : 1) <= memory.f_bavail;
}

}  // namespace

ringlet::task<> make_room(ringlet::fs::file& file, std::uint64_t bytes) {
    if (bytes < small_bytes) co_return;
    struct statfs disk{};
    struct stat info{};
    const int fd = file.descriptor().get();
    if (sys::fstatfs(fd, &disk) != 0 || disk.f_type != TMPFS_MAGIC || sys::fstat(fd, &info) != 0) {
        co_await file.reserve(bytes);
        co_return;
    }
    const std::uint64_t there = static_cast<std::uint64_t>(info.st_blocks) * unit_of_stat;
    if (bytes > there && !has_room(disk, bytes - there))
        throw std::system_error{std::make_error_code(std::errc::no_space_on_device), "allocate"};
}

}  // namespace apps
