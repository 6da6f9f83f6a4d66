// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <fcntl.h>

namespace ringlet::fs {

/// Paths are relative to the current directory. All of these run on the loop's thread only; errors are
/// std::system_error with the operation and the path, and `cancelled`.

enum class kind : std::uint8_t { unknown, regular, directory, symlink, other };

struct directory_entry {
    std::string name;
    kind what = kind::unknown;  ///< unknown where the file system does not tell
};

/// The entries of a directory but "." and "..", in no particular order. Maps to: getdents64(2), on a pool's thread.
task<std::vector<directory_entry>> list(std::string path);
/// The same of an open directory, from its beginning; it keeps its descriptor.
task<std::vector<directory_entry>> list(io::fd_ref directory);

/// Renames, over an existing file. Maps to: IORING_OP_RENAMEAT.
task<> rename(std::string from, std::string to);
/// Renames, but never over an existing file: EEXIST.
task<> rename_new(std::string from, std::string to);

/// Removes a file's name. Maps to: IORING_OP_UNLINKAT.
task<> unlink(std::string path);
/// As `unlink`; a file that is not there is a value: false.
task<bool> try_unlink(std::string path);
/// Removes an empty directory. Maps to: IORING_OP_UNLINKAT with AT_REMOVEDIR.
task<> remove_directory(std::string path);
/// Makes a directory; false when there is one. Maps to: mkdir(2), on a pool's thread.
task<bool> create_directory(std::string path, unsigned permissions = 0777);

}  // namespace ringlet::fs
