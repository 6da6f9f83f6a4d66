// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/detail/head_gate.hpp>

#include <algorithm>

namespace ringlet::http::detail {

namespace {

constexpr std::string_view protocol = "HTTP/";
constexpr std::string_view usual_version = "HTTP/1.1\r";  // need not be looked at byte by byte
// Some clients send an empty line after a body; RFC 9112 section 2.2 asks to ignore at least one.
constexpr std::uint8_t empty_lines_max = 2;

// Where the run of characters of these classes ends.
[[gnu::always_inline]] inline const char* skip(const char* p, const char* end, unsigned classes) noexcept {
    while (p != end && is(*p, classes)) ++p;
    return p;
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

[[gnu::always_inline]] inline bool head_gate::step_start(char c) noexcept {
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

[[gnu::always_inline]] inline const char* head_gate::skip_target(const char* p, const char* end) noexcept {
    const char* const after = skip(p, end, target_char | (limits_->non_ascii_target ? unsigned{non_ascii} : 0U));
    if (after != p) position_ = 1;
    return after;
}

[[gnu::always_inline]] inline bool head_gate::end_target(char c) noexcept {
    if (c != ' ') {
        return fail(status::bad_request,
                    c == '\r' || c == '\n' ? "request line without version" : "invalid character in request-target");
    }
    if (position_ == 0) return fail(status::bad_request, "more than one space in request line");
    state_ = state::version;
    position_ = 0;
    return true;
}

// "HTTP/" DIGIT "." DIGIT, then CR in a request and SP (or CR) in a response.
[[gnu::always_inline]] inline bool head_gate::step_version(char c) noexcept {
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

[[gnu::always_inline]] inline bool head_gate::step_field_start(char c) noexcept {
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

[[gnu::always_inline]] inline bool head_gate::end_name(char c) noexcept {
    if (c == ' ' || c == '\t') return fail(status::bad_request, "space in header name or before the colon");
    if (c != ':') return fail(status::bad_request, "invalid character in header name");
    state_ = state::value;
    return true;
}

[[gnu::always_inline]] inline bool head_gate::end_value(char c) noexcept {
    if (c == '\n') return fail(status::bad_request, "line ends without CR");
    if (c != '\r') return fail(status::bad_request, "control character in header value");
    state_ = state::value_lf;
    return true;
}

[[gnu::always_inline]] inline bool head_gate::expect_lf(char c, state next) noexcept {
    if (c != '\n') return fail(status::bad_request, "CR without LF");
    state_ = next;
    return true;
}

gate_step head_gate::scan(std::string_view input) noexcept {
    const char* p = input.data();
    const char* const end = p + input.size();
    while (p != end) {
        const std::size_t room = std::min(limits_->line_bytes_max - line_bytes_, limits_->head_bytes_max - head_bytes_);
        if (room == 0) {
            too_long();
            return {static_cast<std::size_t>(p - input.data()), verdict::error};
        }
        const char* const before = p;
        const found what = take(p, p + std::min(room, static_cast<std::size_t>(end - p)));
        const auto taken = static_cast<std::size_t>(p - before);
        head_bytes_ += taken;
        line_bytes_ = what == found::line ? 0 : line_bytes_ + taken;
        if (what == found::error) return {static_cast<std::size_t>(p - input.data()), verdict::error};
        if (what == found::head) return {static_cast<std::size_t>(p - input.data()), verdict::complete};
    }
    return {input.size(), verdict::need_more};
}

// Up to the end of a line, or of what there is; at an error, up to the byte that is wrong.
head_gate::found head_gate::take(const char*& at, const char* end) noexcept {
    const char* p = at;
    bool good = true;
    while (p != end && good) {
        switch (state_) {
            case state::start:
                good = step_start(*p);
                break;
            case state::start_lf:
                good = expect_lf(*p, state::start);
                if (!good) break;
                at = p + 1;
                return found::line;
            case state::method:
                p = skip(p, end, token_char);
                if (p == end) continue;
                good = *p == ' ' || fail(status::bad_request, "invalid character in method");
                state_ = state::target;
                position_ = 0;
                break;
            case state::target:
                p = skip_target(p, end);
                if (p == end) continue;
                good = end_target(*p);
                break;
            case state::version:
                if (position_ == 0 && std::string_view{p, end}.starts_with(usual_version)) {
                    p += usual_version.size() - 1;
                    state_ = state::line_lf;
                    break;
                }
                [[fallthrough]];
            case state::status_version:
                good = step_version(*p);
                break;
            case state::status_code:
                good = step_status_code(*p);
                break;
            case state::reason:
                p = skip(p, end, value_char);
                if (p == end) continue;
                good = *p == '\r' || fail(status::bad_request, "invalid character in reason phrase");
                state_ = state::line_lf;
                break;
            case state::line_lf:
            case state::value_lf:
                good = expect_lf(*p, state::field_start);
                if (!good) break;
                at = p + 1;
                return found::line;
            case state::field_start:
                good = step_field_start(*p);
                break;
            case state::name:
                p = skip(p, end, token_char);
                if (p == end) continue;
                good = end_name(*p);
                break;
            case state::value:
                p = skip(p, end, value_char);
                if (p == end) continue;
                good = end_value(*p);
                break;
            case state::end_lf:
                good = expect_lf(*p, state::start);
                if (!good) break;
                at = p + 1;
                return found::head;
        }
        if (good) ++p;
    }
    at = p;
    return good ? found::part : found::error;
}

}  // namespace ringlet::http::detail
