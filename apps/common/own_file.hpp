// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/fs/file.hpp>

#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/types.h>

/// How files that are not complete yet are opened and named: only what is this user's own, regular, private, with one name, and
/// what nobody else works on.
namespace apps {

inline constexpr mode_t private_mode = 0600;
/// For files that are there. O_NONBLOCK: opening a FIFO would wait for a reader.
inline constexpr int open_present = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
/// io_uring would answer EAGAIN instead of waiting, where a file was opened so.
void let_it_wait(int fd) noexcept;

/// What a new file may be read and written by, as for any program of this user. While no other thread runs.
[[nodiscard]] mode_t mode_of_new_files() noexcept;

/// Whether the open file is what stands under `name`.
[[nodiscard]] bool stands_under(int directory, const std::string& name, int fd) noexcept;
/// Whether it is that, and this user's own, regular, private, without a second name. `or_mode`: that of a complete file will do,
/// too.
[[nodiscard]] bool is_own_file(int directory, const std::string& name, int fd, mode_t or_mode = private_mode) noexcept;

/// Locks it (flock(2)). Result: std::errc::operation_would_block where another run has it; anything else where the file system
/// has no locks. What it stands under may have changed before: to be asked afterwards.
[[nodiscard]] std::error_code lock_file(int fd) noexcept;

/// Takes a file away where it has come to nothing.
struct unless_kept {
    int directory;
    const std::string& name;
    bool kept = false;
    ~unless_kept();
};

/// Gives a file its other name, in the same directory. Without `replaces` only where nothing has that name (EEXIST else).
[[nodiscard]] std::error_code give_name(int directory, const std::string& from, const std::string& to,
                                        bool replaces) noexcept;

/// Gives a file that was opened without a name (O_TMPFILE) its first one, where nothing has that name (EEXIST else). Needs /proc.
[[nodiscard]] std::error_code give_first_name(int directory, int fd, const std::string& name) noexcept;

/// Whether a failed write may be told of at close(2) only: not by the usual file systems of the machine's own disks and memory.
[[nodiscard]] bool tells_at_close(int directory) noexcept;

/// Reports what only close(2) reports: some file systems (NFS, quotas) tell so of a failed write. The lock stays with `file`.
/// Where there is no descriptor to close, nothing is known to be wrong. Throws std::system_error.
ringlet::task<> check_written(const ringlet::fs::file& file);

}  // namespace apps
