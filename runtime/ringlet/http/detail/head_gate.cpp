// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/detail/head_gate.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace ringlet::http::detail {

namespace {

constexpr std::string_view protocol = "HTTP/";
constexpr std::string_view usual_end = " HTTP/1.1\r\n";  // of a request line
constexpr std::string_view line_end = "\r\n";
// Some clients send an empty line after a body; RFC 9112 section 2.2 asks to ignore at least one.
constexpr std::uint8_t empty_lines_max = 2;

// Where the run of characters of these classes ends.
[[gnu::always_inline]] inline const char* skip(const char* p, const char* end, unsigned classes) noexcept {
    while (p != end && is(*p, classes)) ++p;
    return p;
}

constexpr std::uint64_t in_each_byte = 0x0101'0101'0101'0101;

// Eight bytes at once: the top bit of each that is below `n`, up to 0x80. Behind the first it may be wrong.
constexpr std::uint64_t below(std::uint64_t eight, unsigned n) noexcept {
    return (eight - in_each_byte * n) & ~eight & (in_each_byte << 7);
}
constexpr std::uint64_t equal(std::uint64_t eight, char c) noexcept {
    return below(eight ^ in_each_byte * static_cast<unsigned char>(c), 1);
}

// The same, with a rough look at eight characters at a time: `suspects` are all that may not be of these classes.
[[gnu::always_inline]] inline const char* skip(const char* p, const char* end, unsigned classes,
                                               auto suspects) noexcept {
    while (std::endian::native == std::endian::little && end - p >= 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, p, sizeof eight);
        const std::uint64_t found = suspects(eight);
        if (found == 0) {
            p += 8;
            continue;
        }
        p += std::countr_zero(found) / 8;
        if (!is(*p, classes)) return p;
        ++p;
    }
    return skip(p, end, classes);
}

[[gnu::always_inline]] inline const char* skip_value(const char* p, const char* end) noexcept {
    return skip(p, end, value_char, [](std::uint64_t eight) { return below(eight, 0x20) | equal(eight, 0x7f); });
}

[[gnu::always_inline]] inline const char* skip_target(const char* p, const char* end, unsigned classes) noexcept {
    return skip(p, end, classes, [](std::uint64_t eight) {
        return below(eight, 0x21) | equal(eight, 0x7f) | equal(eight, '#') | (eight & in_each_byte << 7);
    });
}

}  // namespace

void head_gate::restart(start s, const limits& bounds) noexcept {
    limits_ = &bounds;
    head_bytes_ = line_bytes_ = fields_ = 0;
    error_.reason = {};
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

[[gnu::always_inline]] inline bool head_gate::step_target(char c) noexcept {
    if (is(c, target_classes())) {
        position_ = 1;
        return true;
    }
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

[[gnu::always_inline]] inline bool head_gate::step_method(char c) noexcept {
    if (is(c, token_char)) return true;
    if (c != ' ') return fail(status::bad_request, "invalid character in method");
    state_ = state::target;
    position_ = 0;
    return true;
}

bool head_gate::step_reason(char c) noexcept {
    if (is(c, value_char)) return true;
    if (c != '\r') return fail(status::bad_request, "invalid character in reason phrase");
    state_ = state::line_lf;
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

[[gnu::always_inline]] inline bool head_gate::step_name(char c) noexcept {
    if (is(c, token_char)) return true;
    if (c == ' ' || c == '\t') return fail(status::bad_request, "space in header name or before the colon");
    if (c != ':') return fail(status::bad_request, "invalid character in header name");
    state_ = state::value;
    return true;
}

[[gnu::always_inline]] inline bool head_gate::step_value(char c) noexcept {
    if (is(c, value_char)) return true;
    if (c == '\n') return fail(status::bad_request, "line ends without CR");
    if (c != '\r') return fail(status::bad_request, "control character in header value");
    state_ = state::line_lf;
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

unsigned head_gate::target_classes() const noexcept {
    return target_char | (limits_->non_ascii_target ? unsigned{non_ascii} : 0U);
}

// Each gives what is behind the line, when all of it is there and it is as most are; else null.
[[gnu::always_inline]] inline const char* head_gate::usual_request_line(const char* p, const char* end) noexcept {
    const char* const method_end = skip(p, end, token_char);
    if (method_end == p || method_end == end || *method_end != ' ') return nullptr;
    const char* const target = method_end + 1;
    const char* const target_end = skip_target(target, end, target_classes());
    if (target_end == target || !std::string_view{target_end, end}.starts_with(usual_end)) return nullptr;
    state_ = state::field_start;
    return target_end + usual_end.size();
}
[[gnu::always_inline]] inline const char* head_gate::usual_field_line(const char* p, const char* end) noexcept {
    const char* const name_end = skip(p, end, token_char);
    if (name_end == p || name_end == end || *name_end != ':' || fields_ == limits_->fields_max) return nullptr;
    const char* const value_end = skip_value(name_end + 1, end);
    if (!std::string_view{value_end, end}.starts_with(line_end)) return nullptr;
    ++fields_;
    return value_end + line_end.size();
}

// Up to the end of a line, or of what there is; at an error, up to the byte that is wrong.
head_gate::found head_gate::take(const char*& at, const char* end) noexcept {
    const char* after = nullptr;
    if (state_ == state::field_start) {
        if (std::string_view{at, end}.starts_with(line_end)) {
            at += line_end.size();
            state_ = state::start;
            return found::head;
        }
        after = usual_field_line(at, end);
    } else if (state_ == state::start && start_ == start::request_line) {
        after = usual_request_line(at, end);
    }
    if (after != nullptr) {
        at = after;
        return found::line;
    }
    while (at != end) {
        const state before = state_;
        if (!step(*at)) return found::error;
        ++at;
        if (before == state::end_lf) return found::head;
        if (before == state::start_lf || before == state::line_lf) return found::line;
    }
    return found::part;
}

bool head_gate::step(char c) noexcept {
    switch (state_) {
        case state::start:
            return step_start(c);
        case state::start_lf:
        case state::end_lf:
            return expect_lf(c, state::start);
        case state::method:
            return step_method(c);
        case state::target:
            return step_target(c);
        case state::version:
        case state::status_version:
            return step_version(c);
        case state::status_code:
            return step_status_code(c);
        case state::reason:
            return step_reason(c);
        case state::line_lf:
            return expect_lf(c, state::field_start);
        case state::field_start:
            return step_field_start(c);
        case state::name:
            return step_name(c);
        case state::value:
            return step_value(c);
    }
    __builtin_unreachable();
}

}  // namespace ringlet::http::detail
