// SPDX-License-Identifier: MIT
#pragma once

#include "common/body_pipe.hpp"

#include <memory>
#include <vector>

namespace fetch {

using apps::body_pipe;

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
