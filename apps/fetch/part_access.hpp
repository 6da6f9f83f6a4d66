// SPDX-License-Identifier: MIT
#pragma once

#include "common/own_file.hpp"
#include "fetch/destination.hpp"
#include "fetch/part_state.hpp"
#include <ringlet/fs/file.hpp>

#include <optional>
#include <string>

/// How parts and their states are found and opened: see own_file.hpp.
namespace fetch {

using apps::let_it_wait;
using apps::open_present;
using apps::private_mode;
using apps::stands_under;
using apps::unless_kept;

[[nodiscard]] std::string part_name_of(const std::string& name);
[[nodiscard]] std::string state_name_of(const std::string& part_name);
[[nodiscard]] std::string new_state_name_of(const std::string& part_name);

/// Opens a part, locked and empty, made where there is none. What has the name after the lock is what it gives: else another run
/// has ended meanwhile, and it starts over. nullopt when what lies there is not for us. Names are looked up
/// and made at once: that needs no disk as a rule, and less than another thread takes to hear of it. Throws failure.
[[nodiscard]] std::optional<ringlet::fs::file> open_part(const destination& where, const std::string& part_name);

/// Opens a file without a name, which is gone with its descriptor unless it gets one. nullopt where there are none.
[[nodiscard]] std::optional<ringlet::fs::file> open_nameless(destination& where) noexcept;

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
