// SPDX-License-Identifier: MIT
#include <ringlet/os/pipe.hpp>

#include <algorithm>
#include <system_error>

namespace ringlet::os {
namespace {

constexpr std::size_t first_bytes = 4096;

}  // namespace

task<std::string> pipe_reader::read_all(std::size_t bytes_max) {
    const std::size_t limit = detail::clamped_limit(bytes_max);
    std::string all;
    std::size_t size = 0;
    for (;;) {
        // One byte beyond the limit tells whether there is more.
        if (size == all.size()) all.resize(std::min(std::max(first_bytes, 2 * size), limit + 1));
        const std::span<char> room{all.data() + size, all.size() - size};
        const std::size_t n = co_await read(std::as_writable_bytes(room));
        if (n == 0) break;
        size += n;
        if (size > limit)
            throw std::system_error{make_error_code(std::errc::message_size),
                                    "a pipe gave more than " + std::to_string(bytes_max) + " bytes"};
    }
    all.resize(size);
    co_return all;
}

}  // namespace ringlet::os
