// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>
#include <ringlet/http/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringlet::http::detail {

enum class verdict : std::uint8_t { need_more, complete, error };

struct gate_step {
    std::size_t consumed;
    verdict what;
};

/// Recognises a head (or a trailer section) byte by byte, exactly as RFC 9112 sections 2 to 5 write it.
///
/// It stands before llhttp, which takes the fields apart but reads some of the lines more kindly than a server may
/// (bare LF, folded lines, control characters). Both have to agree on where the head ends.
class head_gate {
public:
    enum class start : std::uint8_t { request_line, status_line, trailer };

    /// Begins a new head. `bounds` is borrowed.
    void restart(start s, const limits& bounds) noexcept;
    /// Stops right behind the empty line, at the byte that is wrong, or at the end of `input`.
    gate_step scan(std::string_view input) noexcept;

    [[nodiscard]] const parse_error& error() const noexcept { return error_; }
    /// True before the first byte of the start line (empty lines before it do not count).
    [[nodiscard]] bool untouched() const noexcept { return head_bytes_ == 0 || state_ == state::start; }
    /// Bytes of the head so far.
    [[nodiscard]] std::size_t head_bytes() const noexcept { return head_bytes_; }

private:
    enum class state : std::uint8_t {
        start,
        start_lf,
        method,
        target,
        version,
        status_version,
        status_code,
        reason,
        line_lf,
        field_start,
        name,
        value,
        end_lf,
    };

    enum class found : std::uint8_t { part, line, head, error };

    found take(const char*& at, const char* end) noexcept;
    unsigned target_classes() const noexcept;
    const char* usual_request_line(const char* p, const char* end) noexcept;
    const char* usual_field_line(const char* p, const char* end) noexcept;
    // Each takes one byte; false means: see error_.
    bool step(char c) noexcept;
    bool step_start(char c) noexcept;
    bool step_method(char c) noexcept;
    bool step_target(char c) noexcept;
    bool step_version(char c) noexcept;
    bool step_status_code(char c) noexcept;
    bool step_reason(char c) noexcept;
    bool step_field_start(char c) noexcept;
    bool step_name(char c) noexcept;
    bool step_value(char c) noexcept;
    bool expect_lf(char c, state next) noexcept;
    bool fail(status s, std::string_view reason) noexcept;
    bool too_long() noexcept;

    const limits* limits_ = nullptr;
    std::size_t head_bytes_ = 0;
    std::size_t line_bytes_ = 0;
    std::size_t fields_ = 0;
    parse_error error_;
    state state_ = state::start;
    start start_ = start::request_line;
    std::uint8_t position_ = 0;  // within the version, the status code, or the run of empty lines
    char major_ = '1';
};

}  // namespace ringlet::http::detail
