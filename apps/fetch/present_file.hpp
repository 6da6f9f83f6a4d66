// SPDX-License-Identifier: MIT
#pragma once

#include "common/digest.hpp"
#include "fetch/destination.hpp"
#include "fetch/part_state.hpp"
#include <ringlet/core/task.hpp>

#include <string>

namespace fetch {

/// Notes in an extended attribute which version a complete file is, where the file system has such.
void mark_version(int fd, const part_state& version);

/// Whether the file is marked with this version, and nobody has changed it since.
[[nodiscard]] bool is_version(const destination& where, const std::string& name, const part_state& version);

/// Whether the file has this digest. Reads all of it.
ringlet::task<bool> has_digest(const destination& where, std::string name, apps::wanted_digest wanted);

}  // namespace fetch
