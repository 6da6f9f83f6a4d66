// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/net/endpoint.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace chat {

/// What is said of a datagram for `meant` that was refused; `error` is an errno.
std::string refusal_text(const ringlet::net::endpoint& meant, int error);

/// Says which datagrams were refused: at once for the first, as one total for the others of a second.
/// The kernel notes refusals, with the address that was meant, for a socket that heeds them (IP_RECVERR).
class refusals {
public:
    refusals(ringlet::io::fd_ref socket, apps::printer& err);
    ~refusals();
    refusals(const refusals&) = delete;
    refusals& operator=(const refusals&) = delete;

    /// Reports what the kernel has noted. Result: how many there were.
    std::size_t report();
    /// Says the total that is still to be said.
    void finish();

private:
    void add(const ringlet::net::endpoint& meant, int error);
    ringlet::task<> be_quiet();

    ringlet::io::fd_ref socket_;
    apps::printer& err_;
    ringlet::net::endpoint meant_;
    int error_ = 0;
    std::size_t unsaid_ = 0;
    std::optional<ringlet::job<>> quiet_;
};

}  // namespace chat
