// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace fetch {

/// A pipe in which the bytes of a body are on their way from a socket to a file without ever coming here.
struct body_pipe {
    ringlet::io::owned_fd end;    ///< to read from
    ringlet::io::owned_fd begin;  ///< to write to
    std::size_t room = 0;         ///< bytes that it holds
};

/// Pipes, used again.
class pipe_pool {
public:
    /// nullptr where none can be made: then the bytes go another way.
    [[nodiscard]] std::unique_ptr<body_pipe> take();
    /// Takes back one in which nothing is left.
    void give_back(std::unique_ptr<body_pipe> empty) noexcept;

private:
    std::vector<std::unique_ptr<body_pipe>> idle_;
};

}  // namespace fetch
