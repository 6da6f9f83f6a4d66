// SPDX-License-Identifier: MIT
// The limit for generators: what one writes by hand where the language has none. It gives the same numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bench {

/// The words of a text.
class words {
public:
    explicit words(std::string_view text) noexcept : text_{text} {}
    std::optional<std::string_view> next() noexcept;

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

/// 0 and its square, 1 and its square, ... below `count`. A call is a call: `next` is in another file.
class numbers_and_squares {
public:
    explicit numbers_and_squares(std::uint64_t count) noexcept : count_{count} {}
    std::optional<std::uint64_t> next() noexcept;

private:
    enum class state { number, square, end };
    std::uint64_t count_;
    std::uint64_t number_ = 0;
    state state_ = state::number;
};

}  // namespace bench
