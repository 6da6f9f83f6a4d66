// SPDX-License-Identifier: MIT
#pragma once

#include "digest.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/fd.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace apps {

/// Adds bytes to a digest: many on a thread, so that the loop goes on meanwhile. Borrows both until the co_await ends. Who is
/// cancelled does not know whether they are in it.
ringlet::task<> add(digest& to, std::span<const std::byte> bytes);

/// Reads bytes of a file, up to `to` or its end, and adds them. Blocks as pread(2) does: to be called on a thread (offload), which
/// finds them in its caches then. Result: how many. Throws std::system_error as pread(2), "read".
std::uint64_t add_range(digest& into, ringlet::io::fd_ref file, std::uint64_t from, std::uint64_t to);

/// Adds the bytes of a file from `from` to its end, on a thread. Result: how many. Errors: std::system_error as pread(2).
ringlet::task<std::uint64_t> add_file(digest& to, const ringlet::fs::file& file, std::uint64_t from);

}  // namespace apps
