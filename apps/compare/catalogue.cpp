// SPDX-License-Identifier: MIT
#include "compare/catalogue.hpp"

#include "compare/models/models.hpp"
#include "compare/sources.hpp"

#include <algorithm>
#include <array>

namespace comparison {
namespace {

const std::array all{
    model{"sequential", "one connection after the other", sources::sequential, sources::talk, serve_sequential},
    model{"process", "a process for each connection", sources::process, sources::talk, serve_process},
    model{"thread", "a thread for each connection", sources::thread, sources::talk, serve_thread},
    model{"nonblocking", "calls that never wait, in a loop that never rests", sources::nonblocking, sources::connection,
          serve_nonblocking},
    model{"epoll", "the kernel says who has something to do", sources::epoll, sources::connection, serve_epoll},
    model{"coroutine", "a coroutine for each connection, on io_uring", sources::coroutine, {}, serve_coroutine},
    model{"threadpool", "64 threads, each with one connection after the other", sources::threadpool, sources::talk,
          serve_threadpool, true},
    model{"uring", "io_uring by hand, without coroutines", sources::uring, {}, serve_uring, true},
};

std::size_t lines_in(std::string_view rest) noexcept {
    std::size_t lines = 0;
    while (!rest.empty()) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (!line.empty() && !line.starts_with("//")) ++lines;
    }
    return lines;
}

}  // namespace

std::span<const model> models() noexcept { return all; }

const model* find_model(std::string_view name) noexcept {
    const auto found = std::ranges::find(all, name, &model::name);
    return found == all.end() ? nullptr : &*found;
}

std::size_t lines_of_code(const model& which) noexcept { return lines_in(which.source) + lines_in(which.shared); }

}  // namespace comparison
