// SPDX-License-Identifier: MIT
#pragma once

#include "digest.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/fs/file.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace apps {

/// Adds bytes to a digest: many on a thread, so that the loop goes on meanwhile. Borrows both until the co_await ends. Who is
/// cancelled does not know whether they are in it.
ringlet::task<> add(digest& to, std::span<const std::byte> bytes);

/// Adds the bytes of a file from `from` to its end. Result: how many. Errors: std::system_error as pread(2).
ringlet::task<std::uint64_t> add_file(digest& to, ringlet::fs::file& file, std::uint64_t from);

}  // namespace apps
