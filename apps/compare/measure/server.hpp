// SPDX-License-Identifier: MIT
#pragma once

#include "compare/measure/process_tree.hpp"
#include "compare/results.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/os/pipe.hpp>
#include <ringlet/os/process.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace comparison {

/// What a server and all its children used, from when it listened to their ends.
struct usage {
    nanoseconds user{0};
    nanoseconds system{0};
    std::uint64_t switches_voluntary = 0;
    std::uint64_t switches_forced = 0;
};

/// How a server is started. It ends at SIGTERM.
struct server_command {
    std::vector<std::string> words;
    /// Where it listens; absent: it says so itself, as `ringlet-compare serve` does, in its first line.
    std::optional<ringlet::net::endpoint> address;
};

/// A server in a process of its own, on one processor where there are two. One at a time: what it used is what the children
/// of this process used meanwhile. Thread: the loop's thread only.
class server {
public:
    /// Starts it and waits until it listens. Errors: std::runtime_error with what it said; std::system_error.
    static ringlet::task<server> start(const server_command& command);

    const ringlet::net::endpoint& address() const noexcept { return address_; }
    pid_t pid() const noexcept { return process_.pid(); }
    process_tree tree() const { return look_at_tree(pid()); }
    /// Ends it, and all that it started. Errors: std::runtime_error, with what it said, when it has ended by itself.
    ringlet::task<usage> stop();

private:
    explicit server(ringlet::os::process process) : process_{std::move(process)} {}

    struct beginning {
        nanoseconds cpu{0};
        std::uint64_t switches_voluntary = 0;
        std::uint64_t switches_forced = 0;
    };
    static beginning used_so_far(pid_t process);

    usage before_ = used_by_children();
    beginning beginning_;  // what it took until it listened
    ringlet::os::process process_;
    ringlet::os::pipe_reader says_;  // closed, it would end at its next word
    std::string said_;
    ringlet::net::endpoint address_ = ringlet::net::endpoint::loopback_v4(0);

    static usage used_by_children() noexcept;
};

/// Orphans of servers become children of this process, which can wait for them then. Once, before any server starts.
void adopt_orphans() noexcept;

/// Servers have one processor of those that this process may use, this thread the other one.
struct processors {
    int server = 0;
    int load = 0;
    bool are_apart() const noexcept { return server != load; }
};
/// Once, before any server starts.
void divide_processors() noexcept;
processors processors_of_run() noexcept;

}  // namespace comparison
