// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/destination.hpp"
#include "fetch/part_state.hpp"
#include <ringlet/fs/file.hpp>

#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/types.h>

/// How parts and their states are found and opened: only what is this user's own, regular, private, with one name, and what
/// nobody else works on.
namespace fetch {

inline constexpr mode_t private_mode = 0600;
/// For files that are there. O_NONBLOCK: opening a FIFO would wait for a reader.
inline constexpr int open_present = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
/// io_uring would answer EAGAIN instead of waiting, where a file was opened so.
void let_it_wait(int fd) noexcept;

[[nodiscard]] std::string part_name_of(const std::string& name);
[[nodiscard]] std::string state_name_of(const std::string& part_name);
[[nodiscard]] std::string new_state_name_of(const std::string& part_name);

/// Whether the open file is what stands under `name`.
[[nodiscard]] bool stands_under(int directory, const std::string& name, int fd) noexcept;

/// Takes a file away where it has come to nothing.
struct unless_kept {
    int directory;
    const std::string& name;
    bool kept = false;
    ~unless_kept();
};

/// Opens a part, locked and empty, made where there is none; nullopt when what lies there is not for us. Names are looked up
/// and made at once: that needs no disk as a rule, and less than another thread takes to hear of it. Throws failure.
[[nodiscard]] std::optional<ringlet::fs::file> open_part(const destination& where, const std::string& part_name);

/// What an earlier run has left, locked.
struct left_part {
    ringlet::fs::file file;
    ringlet::fs::file state_file;
    part_state state;
};

/// See part_file::take_up.
[[nodiscard]] std::optional<left_part> open_left_part(destination& where, const std::string& name,
                                                      const std::string& url, bool trusts_length,
                                                      std::string& in_the_way);

}  // namespace fetch
