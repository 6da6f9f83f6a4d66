// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/open_file.hpp>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <linux/openat2.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

namespace ringlet::testing::detail {

struct dentry;
struct volume;

/// Wall-clock time when virtual time is 0: 2026-01-01T00:00:00Z.
inline constexpr std::time_t epoch = 1'767'225'600;

/// What openat(2) makes of its arguments: unlike openat2(2) it ignores what it does not know.
open_how how_of(int flags, mode_t mode) noexcept;

/// The files of the simulated world, in memory, with the rules of Linux: paths, links, permissions, open files that outlive
/// their names. Every user is the owner; the current directory is "/", the umask 022 at first.
///
/// Calls give what the system call would: 0 or more, or -errno. `directory` is what a descriptor refers to, null for
/// AT_FDCWD.
class filesystem {
public:
    /// Holds "/" and "/tmp".
    explicit filesystem(world& where);
    filesystem(const filesystem&) = delete;
    filesystem& operator=(const filesystem&) = delete;
    ~filesystem();

    std::int64_t open(open_file* directory, const char* path, const open_how& how, std::shared_ptr<open_file>& out);
    /// `flags`: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH.
    std::int64_t stat(open_file* directory, const char* path, int flags, struct stat& info) const;
    std::int64_t link(open_file* from, const char* path, open_file* to, const char* new_path);
    /// `flags`: AT_REMOVEDIR.
    std::int64_t unlink(open_file* directory, const char* path, int flags);
    /// `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE.
    std::int64_t rename(open_file* from, const char* path, open_file* to, const char* new_path, unsigned flags);
    std::int64_t make_directory(open_file* directory, const char* path, mode_t mode);
    std::int64_t make_link(const char* target, open_file* directory, const char* path);
    /// Gives the one before.
    mode_t set_umask(mode_t mask) noexcept { return std::exchange(umask_, mask & 0777); }
    std::int64_t read_link(open_file* directory, const char* path, char* target, std::size_t bytes) const;

    // --- for tests: without faults and permissions ---

    /// Writes a file, and makes the directories on the way. Errors: std::system_error.
    void put(std::string_view path, std::string_view content);
    /// A regular file's content; nullopt where there is none.
    std::optional<std::string> get(std::string_view path) const;
    /// What is in a directory, sorted. Errors: std::system_error.
    std::vector<std::string> names(std::string_view directory) const;

    /// Of all regular files together: ENOSPC beyond.
    void set_capacity(std::uint64_t bytes) noexcept;
    std::uint64_t capacity() const noexcept;
    /// What is left of it.
    std::uint64_t room() const noexcept;
    /// Bytes written or allocated in all regular files, also those that are only open; holes do not count.
    std::uint64_t used() const noexcept;

private:
    struct walk_options;
    struct place;

    std::int64_t walk(open_file* directory, const char* path, const walk_options& options, place& out) const;
    std::int64_t walk_to_new(open_file* directory, const char* path, bool is_directory, place& out) const;

    std::shared_ptr<volume> volume_;
    std::shared_ptr<dentry> root_;
    mode_t umask_ = 022;
};

}  // namespace ringlet::testing::detail
