// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/detail/head_gate.hpp>

#include <algorithm>

namespace ringlet::http::detail {

namespace {

constexpr std::string_view protocol = "HTTP/";
// Some clients send an empty line after a body; RFC 9112 section 2.2 asks to ignore at least one.
constexpr std::uint8_t empty_lines_max = 2;

void skip(const char*& p, const char* end, unsigned classes) noexcept {
    while (p != end && is(*p, classes)) ++p;
}

}  // namespace

void head_gate::restart(start s, const limits& bounds) noexcept {
    limits_ = &bounds;
    head_bytes_ = line_bytes_ = fields_ = 0;
    error_ = {};
    start_ = s;
    state_ = s == start::trailer ? state::field_start : state::start;
    position_ = 0;
    major_ = '1';
    complete_ = false;
}

bool head_gate::fail(status s, std::string_view reason) noexcept {
    error_ = {start_ == start::status_line ? status::bad_gateway : s, reason};
    return false;
}

bool head_gate::too_long() noexcept {
    switch (state_) {
        case state::method:
            return fail(status::not_implemented, "method too long");
        case state::target:
            return fail(status::uri_too_long, "request-target too long");
        default:
            return fail(status::request_header_fields_too_large, "header too large");
    }
}

gate_step head_gate::scan(std::string_view input) noexcept {
    const char* p = input.data();
    const char* const end = p + input.size();
    while (p != end) {
        const char* const before = p;
        const state state_before = state_;
        const bool good = step(p, end);
        const auto taken = static_cast<std::size_t>(p - before);
        head_bytes_ += taken;
        line_bytes_ += taken;
        const std::size_t excess = std::max(line_bytes_ - std::min<std::size_t>(line_bytes_, limits_->line_bytes_max),
                                            head_bytes_ - std::min<std::size_t>(head_bytes_, limits_->head_bytes_max));
        if (excess > 0) {
            state_ = state_before;  // a run may have ended behind the limit: the answer is for where the limit stood
            too_long();
            return {static_cast<std::size_t>(p - input.data()) - excess, verdict::error};
        }
        if (!good) return {static_cast<std::size_t>(p - input.data()), verdict::error};
        if (state_before == state::line_lf || state_before == state::value_lf || state_before == state::start_lf)
            line_bytes_ = 0;
        if (complete_) return {static_cast<std::size_t>(p - input.data()), verdict::complete};
    }
    return {input.size(), verdict::need_more};
}

// Takes at least one byte unless it fails.
bool head_gate::step(const char*& p, const char* end) noexcept {
    switch (state_) {
        case state::start:
            return step_start(*p) && ++p;
        case state::start_lf:
            return expect_lf(*p, state::start) && ++p;
        case state::method:
            skip(p, end, token_char);
            if (p == end) return true;
            if (*p != ' ') return fail(status::bad_request, "invalid character in method");
            ++p;
            state_ = state::target;
            position_ = 0;
            return true;
        case state::target:
            return step_target(p, end);
        case state::version:
        case state::status_version:
            return step_version(*p) && ++p;
        case state::status_code:
            return step_status_code(*p) && ++p;
        case state::reason:
            skip(p, end, value_char);
            if (p == end) return true;
            if (*p != '\r') return fail(status::bad_request, "invalid character in reason phrase");
            ++p;
            state_ = state::line_lf;
            return true;
        case state::line_lf:
            return expect_lf(*p, state::field_start) && ++p;
        case state::field_start:
            return step_field_start(*p) && ++p;
        case state::name:
            return step_name(p, end);
        case state::value:
            return step_value(p, end);
        case state::value_lf:
            return expect_lf(*p, state::field_start) && ++p;
        case state::end_lf:
            complete_ = *p == '\n';
            return expect_lf(*p, state::start) && ++p;
    }
    return false;
}

bool head_gate::step_start(char c) noexcept {
    if (start_ == start::status_line) {
        state_ = state::status_version;
        return step_version(c);
    }
    if (c == '\r' && position_ < empty_lines_max) {
        ++position_;
        state_ = state::start_lf;
        return true;
    }
    if (!is(c, token_char)) return fail(status::bad_request, "request does not start with a method");
    state_ = state::method;
    return true;
}

bool head_gate::step_target(const char*& p, const char* end) noexcept {
    const char* const before = p;
    skip(p, end, target_char | (limits_->non_ascii_target ? unsigned{non_ascii} : 0U));
    if (p != before) position_ = 1;
    if (p == end) return true;
    if (*p != ' ') {
        return fail(status::bad_request,
                    *p == '\r' || *p == '\n' ? "request line without version" : "invalid character in request-target");
    }
    if (position_ == 0) return fail(status::bad_request, "more than one space in request line");
    ++p;
    state_ = state::version;
    position_ = 0;
    return true;
}

// "HTTP/" DIGIT "." DIGIT, then CR in a request and SP (or CR) in a response.
bool head_gate::step_version(char c) noexcept {
    const std::uint8_t at = position_++;
    if (at < protocol.size()) return c == protocol[at] || fail(status::bad_request, "malformed HTTP version");
    switch (at - protocol.size()) {
        case 0:
            major_ = c;
            return is(c, digit) || fail(status::bad_request, "malformed HTTP version");
        case 1:
            return c == '.' || fail(status::bad_request, "malformed HTTP version");
        case 2:
            return is(c, digit) || fail(status::bad_request, "malformed HTTP version");
        default:
            break;
    }
    if (c != (state_ == state::version ? '\r' : ' ')) return fail(status::bad_request, "malformed HTTP version");
    if (major_ != '1') return fail(status::http_version_not_supported, "HTTP version not supported");
    state_ = state_ == state::version ? state::line_lf : state::status_code;
    position_ = 0;
    return true;
}

bool head_gate::step_status_code(char c) noexcept {
    const std::uint8_t at = position_++;
    if (at < 3) {
        const bool good = is(c, digit) && (at != 0 || c != '0');
        return good || fail(status::bad_request, "malformed status code");
    }
    if (c != ' ' && c != '\r') return fail(status::bad_request, "malformed status line");
    state_ = c == ' ' ? state::reason : state::line_lf;  // without a reason not even the space is sent by some
    return true;
}

bool head_gate::step_field_start(char c) noexcept {
    if (c == '\r') {
        state_ = state::end_lf;
        return true;
    }
    if (c == ' ' || c == '\t') return fail(status::bad_request, "folded header line or space before the first header");
    if (c == '\n') return fail(status::bad_request, "line ends without CR");
    if (!is(c, token_char)) return fail(status::bad_request, "invalid character in header name");
    if (++fields_ > limits_->fields_max) return fail(status::request_header_fields_too_large, "too many header fields");
    state_ = state::name;
    return true;
}

bool head_gate::step_name(const char*& p, const char* end) noexcept {
    skip(p, end, token_char);
    if (p == end) return true;
    if (*p == ' ' || *p == '\t') return fail(status::bad_request, "space in header name or before the colon");
    if (*p != ':') return fail(status::bad_request, "invalid character in header name");
    ++p;
    state_ = state::value;
    return true;
}

bool head_gate::step_value(const char*& p, const char* end) noexcept {
    skip(p, end, value_char);
    if (p == end) return true;
    if (*p == '\n') return fail(status::bad_request, "line ends without CR");
    if (*p != '\r') return fail(status::bad_request, "control character in header value");
    ++p;
    state_ = state::value_lf;
    return true;
}

bool head_gate::expect_lf(char c, state next) noexcept {
    if (c != '\n') return fail(status::bad_request, "CR without LF");
    state_ = next;
    return true;
}

}  // namespace ringlet::http::detail
