// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/detail/head_gate.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringlet::http::detail {

/// Recognises one chunk-size line with its extensions (RFC 9112 section 7.1), and counts what chunks cost.
///
/// The whitespace that section 7.1.1 calls bad is passed over where its grammar has it: around ';' and '='. Before the CR it
/// is refused.
class chunk_gate {
public:
    /// Begins a new body: the cost starts from 0.
    void restart() noexcept;
    /// Begins the next chunk-size line.
    void next_line() noexcept;
    /// Stops behind the LF of the line, at the byte that is wrong, or at the end of `input`.
    gate_step scan(std::string_view input) noexcept;
    /// Data pays for its own framing: many tiny chunks with long extensions do not (see scan).
    void credit(std::uint64_t data_bytes) noexcept;

    /// After verdict::complete: the line without its extensions, which llhttp 8.1 does not all understand (it refuses
    /// what follows a quoted value).
    [[nodiscard]] std::string_view size_line() noexcept;
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }

private:
    enum class state : std::uint8_t {
        size,
        name_start,
        name,
        name_blank,
        value_start,
        value,
        quoted,
        escaped,
        quoted_end,
        value_blank,
        lf,
        done
    };

    bool step(char c) noexcept;
    bool step_behind(char c, state blank) noexcept;
    bool fail(std::string_view reason) noexcept;

    std::string_view reason_;
    std::array<char, 18> digits_;  // as many as size_line() needs
    std::size_t digits_size_ = 0;
    std::size_t line_bytes_ = 0;
    std::uint64_t cost_ = 0;  // framing bytes not yet paid for by data
    state state_ = state::size;
};

}  // namespace ringlet::http::detail
