// SPDX-License-Identifier: MIT
#include "fetch/pipe_pool.hpp"

#include <new>
#include <utility>

namespace fetch {

std::unique_ptr<body_pipe> pipe_pool::take() {
    if (idle_.empty()) return body_pipe::make();
    std::unique_ptr<body_pipe> found = std::move(idle_.back());
    idle_.pop_back();
    return found;
}

void pipe_pool::give_back(std::unique_ptr<body_pipe> empty) noexcept {
    try {
        idle_.push_back(std::move(empty));
    } catch (const std::bad_alloc&) {  // then it is closed
    }
}

}  // namespace fetch
