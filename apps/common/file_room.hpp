// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/fs/file.hpp>

#include <cstdint>

namespace apps {

/// Makes room for a file that will have so many bytes, so that a full disk shows before they come. The room that it has counts. In
/// memory (tmpfs) room is made page by page, which takes a good part of the time that writing takes: there it is only looked
/// whether there is enough. Nothing for a small file, which is written as soon, and where the file system cannot.
/// Errors: std::system_error as fallocate(2), ENOSPC among them; `cancelled`.
ringlet::task<> make_room(ringlet::fs::file& file, std::uint64_t bytes);

}  // namespace apps
