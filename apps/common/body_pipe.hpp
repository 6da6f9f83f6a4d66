// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>

#include <cstddef>
#include <memory>

namespace apps {

/// A pipe in which bytes are on their way from a socket to a file without ever coming here.
struct body_pipe {
    /// nullptr where none can be made: then the bytes go another way.
    [[nodiscard]] static std::unique_ptr<body_pipe> make();

    ringlet::io::owned_fd end;    ///< to read from
    ringlet::io::owned_fd begin;  ///< to write to
    std::size_t room = 0;         ///< bytes that it holds
};

}  // namespace apps
