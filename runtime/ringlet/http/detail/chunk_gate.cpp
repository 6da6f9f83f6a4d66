// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/detail/chunk_gate.hpp>

#include <algorithm>

namespace ringlet::http::detail {

namespace {

constexpr std::size_t size_digits_max = 16;
constexpr std::size_t line_bytes_max = 4096;
// A sender of honest chunks never gets near this; one that sends a byte at a time with extensions does.
constexpr std::uint64_t cost_bytes_max = 16 * 1024;
constexpr std::uint64_t free_bytes_per_chunk = 16;

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

}  // namespace

void chunk_gate::restart() noexcept {
    cost_ = 0;
    next_line();
}

void chunk_gate::next_line() noexcept {
    reason_ = {};
    line_bytes_ = 0;
    digits_size_ = 0;
    state_ = state::size;
}

void chunk_gate::credit(std::uint64_t data_bytes) noexcept {
    const std::uint64_t paid = data_bytes > cost_bytes_max ? cost_bytes_max : free_bytes_per_chunk + 2 * data_bytes;
    cost_ -= std::min(cost_, paid);
}

bool chunk_gate::fail(std::string_view reason) noexcept {
    reason_ = reason;
    return false;
}

std::string_view chunk_gate::size_line() noexcept {
    digits_[digits_size_] = '\r';
    digits_[digits_size_ + 1] = '\n';
    return {digits_.data(), digits_size_ + 2};
}

gate_step chunk_gate::scan(std::string_view input) noexcept {
    for (std::size_t i = 0; i < input.size(); ++i) {
        if (!step(input[i])) return {i, verdict::error};
        if (++line_bytes_ > line_bytes_max || ++cost_ > cost_bytes_max) {
            fail("chunk framing too large");
            return {i, verdict::error};
        }
        if (state_ == state::done) return {i + 1, verdict::complete};
    }
    return {input.size(), verdict::need_more};
}

bool chunk_gate::step(char c) noexcept {
    switch (state_) {
        case state::size:
            if (is(c, hex_digit)) {
                if (digits_size_ == size_digits_max) return fail("chunk size too large");
                digits_[digits_size_++] = c;
                return true;
            }
            if (line_bytes_ == 0) return fail("malformed chunk size");
            return step_behind(c, state::value_blank) || fail("malformed chunk size");
        case state::name_start:
            if (is_blank(c)) return true;
            state_ = state::name;
            return is(c, token_char) || fail("malformed chunk extension");
        case state::name:
            if (is(c, token_char)) return true;
            [[fallthrough]];
        case state::name_blank:
            if (c == '=') {
                state_ = state::value_start;
                return true;
            }
            return step_behind(c, state::name_blank);
        case state::value_start:
            if (is_blank(c)) return true;
            state_ = c == '"' ? state::quoted : state::value;
            return c == '"' || is(c, token_char) || fail("malformed chunk extension");
        case state::value:
            return is(c, token_char) || step_behind(c, state::value_blank);
        case state::quoted:
            if (c == '"') state_ = state::quoted_end;
            if (c == '\\') state_ = state::escaped;
            return is(c, value_char) || fail("malformed chunk extension");
        case state::escaped:
            state_ = state::quoted;
            return is(c, value_char) || fail("malformed chunk extension");
        case state::quoted_end:
        case state::value_blank:
            return step_behind(c, state::value_blank);
        case state::lf:
            state_ = state::done;
            return c == '\n' || fail("CR without LF in chunk size line");
        case state::done:
            break;
    }
    return false;
}

// What may come when a part of the line is complete. Behind blanks, which lead to `blank`, the line cannot end.
bool chunk_gate::step_behind(char c, state blank) noexcept {
    if (is_blank(c)) {
        state_ = blank;
        return true;
    }
    if (c == ';') {
        state_ = state::name_start;
        return true;
    }
    if (c == '\r' && state_ != state::name_blank && state_ != state::value_blank) {
        state_ = state::lf;
        return true;
    }
    return fail("malformed chunk extension");
}

}  // namespace ringlet::http::detail
