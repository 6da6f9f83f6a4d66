// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <unistd.h>

namespace ringlet::detail {

struct job_block;

/// Writes reports in handlers of signals: no memory, no locks, no stdio.
struct plain_writer {
    int fd;

    void text(std::string_view what) const noexcept {
        while (!what.empty()) {
            const ssize_t n = ::write(fd, what.data(), what.size());  // lint-ok: a handler's, of the real process
            if (n <= 0) return;
            what.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    void number(std::uint64_t value, int base = 10) const noexcept {
        std::array<char, 24> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
        text({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    void descriptor(int number_of_it) const noexcept {
        if (number_of_it < 0) return;
        text(" fd ");
        number(static_cast<std::uint64_t>(number_of_it));
    }
    /// As label_of.
    void label(const job_block& job) const noexcept;
};

}  // namespace ringlet::detail
