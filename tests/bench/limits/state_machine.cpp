// SPDX-License-Identifier: MIT
#include "limits/state_machine.hpp"

namespace bench {

std::optional<std::string_view> words::next() noexcept {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (at_ == text_.size()) return std::nullopt;
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ' ') ++at_;
    return text_.substr(begin, at_ - begin);
}

std::optional<std::uint64_t> numbers_and_squares::next() noexcept {
    switch (state_) {
        case state::number:
            if (number_ == count_) break;
            state_ = state::square;
            return number_;
        case state::square: {
            const std::uint64_t square = number_ * number_;
            ++number_;
            state_ = state::number;
            return square;
        }
        case state::end:
            return std::nullopt;
    }
    state_ = state::end;
    return std::nullopt;
}

}  // namespace bench
