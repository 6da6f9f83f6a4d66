// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>

#include <string>

namespace serve {

/// Gives up, for this thread and those that it starts, what a server of files never needs: new privileges
/// (PR_SET_NO_NEW_PRIVS) and, where the kernel has Landlock (Linux 5.13), everything on file systems but reading below
/// `root`; from Linux 6.7 on also making TCP connections and listening at further ports. What is open stays open.
///
/// Result:    what holds now, as a half-sentence for people. A kernel without Landlock, or one that denies it, is no error.
/// Maps to:   prctl(2), landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2).
std::string confine_to_reading(ringlet::io::fd_ref root);

}  // namespace serve
