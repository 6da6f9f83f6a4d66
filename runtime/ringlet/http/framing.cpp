// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/framing.hpp>

#include <algorithm>
#include <charconv>

namespace ringlet::http {

namespace {

body_plan refuse(status s, std::string_view reason) noexcept { return {framing::none, 0, {s, reason}}; }

enum class codings { absent, chunked, chunked_last, other };

// Looks at all Transfer-Encoding fields as at one list.
codings transfer_codings(const fields& f) noexcept {
    unsigned others = 0;
    unsigned chunked = 0;
    bool last_is_chunked = false;
    if (!f.contains("Transfer-Encoding")) return codings::absent;
    for (const auto& field : f) {
        if (!detail::equal_ignoring_case(field.name, "Transfer-Encoding")) continue;
        std::string_view rest = field.value;
        for (;;) {
            const auto comma = std::min(rest.find(','), rest.size());
            const auto coding = detail::trim(rest.substr(0, comma));
            last_is_chunked = detail::equal_ignoring_case(coding, "chunked");
            (last_is_chunked ? chunked : others) += 1;
            if (comma == rest.size()) break;
            rest.remove_prefix(comma + 1);
        }
    }
    if (!last_is_chunked || chunked != 1) return codings::other;
    return others == 0 ? codings::chunked : codings::chunked_last;
}

// What requests and responses share, once it is clear that there may be a body.
body_plan plan_by_fields(version v, const fields& f, framing otherwise) noexcept {
    const auto codings = transfer_codings(f);
    if (codings != codings::absent) {
        if (v == version::http_1_0) return refuse(status::bad_request, "Transfer-Encoding in an HTTP/1.0 message");
        if (f.contains("Content-Length"))
            return refuse(status::bad_request, "both Content-Length and Transfer-Encoding");
        if (codings == codings::other) return refuse(status::bad_request, "the last transfer coding is not chunked");
        if (codings == codings::chunked_last) return refuse(status::not_implemented, "unknown transfer coding");
        return {framing::chunked, std::nullopt, {}};
    }
    const auto length = content_length(f);
    if (!length) return refuse(status::bad_request, length.reason());
    if (*length) return {**length == 0 ? framing::none : framing::length, **length, {}};
    if (otherwise == framing::none) return {};
    return {otherwise, std::nullopt, {}};
}

// Where a reg-name or IPv4address at the front of `text` ends: at the first character that cannot be of it.
std::size_t end_of_name(std::string_view text) noexcept {
    std::size_t i = 0;
    for (;;) {
        while (i < text.size() && detail::is(text[i], detail::host_char)) ++i;
        const bool encoded =
            i + 2 < text.size() && text[i] == '%' && detail::all_of(text.substr(i + 1, 2), detail::hex_digit);
        if (!encoded) return i;
        i += 3;
    }
}

}  // namespace

checked<std::optional<std::uint64_t>> content_length(const fields& f) noexcept {
    using answer = checked<std::optional<std::uint64_t>>;
    const auto value = f.get("Content-Length");
    if (!value) return answer{std::optional<std::uint64_t>{}};
    if (f.count("Content-Length") > 1) return answer::failure("more than one Content-Length");
    if (!detail::all_of(*value, detail::digit)) return answer::failure("Content-Length is not a number");
    std::uint64_t number = 0;
    if (std::from_chars(value->data(), value->data() + value->size(), number).ec != std::errc{})
        return answer::failure("Content-Length too large");
    return answer{std::optional{number}};
}

body_plan plan_request_body(const request_head& head) noexcept {
    return plan_by_fields(head.version, head.fields, framing::none);
}

body_plan plan_response_body(const response_head& head, method request_method) noexcept {
    const unsigned code = to_number(head.status);
    if (code / 100 == 1 || code == 204 || code == 304 || request_method == method::head) return {};
    if (request_method == method::connect && code / 100 == 2) return {};
    auto plan = plan_by_fields(head.version, head.fields, framing::until_close);
    if (!plan.error.reason.empty()) plan.error.status = status::bad_gateway;
    return plan;
}

bool is_valid_host(std::string_view value) noexcept {
    std::string_view port;
    if (value.starts_with('[')) {
        const auto close = value.find(']');
        if (close == std::string_view::npos) return false;
        const std::string_view host = value.substr(1, close - 1);
        if (!std::all_of(host.begin(), host.end(),
                         [](char c) { return detail::is(c, detail::hex_digit) || c == ':' || c == '.'; }))
            return false;
        if (std::count(host.begin(), host.end(), ':') < 2) return false;
        port = value.substr(close + 1);
    } else {
        const std::size_t end = end_of_name(value);
        if (end == 0) return false;
        port = value.substr(end);
    }
    if (port.empty()) return true;
    if (port.front() != ':' || port.size() > 6) return false;
    unsigned number = 0;
    for (const char c : port.substr(1)) {
        if (!detail::is(c, detail::digit)) return false;
        number = 10 * number + static_cast<unsigned>(c - '0');
    }
    return number <= 65535;
}

std::string_view host_error(const request_head& head) noexcept {
    const auto host = head.fields.get("Host");
    if (!host) return head.version == version::http_1_1 ? "no Host" : "";
    if (head.fields.size() > 1 && head.fields.count("Host") > 1) return "more than one Host";
    return is_valid_host(*host) ? "" : "invalid Host";
}

std::string_view target_error(const request_head& head) noexcept {
    const std::string_view target = head.target;
    if (head.method == method::connect) {  // authority-form: the port is not optional
        const bool has_port = !target.empty() && target.find_last_of(':') != std::string_view::npos &&
                              detail::is(target.back(), detail::digit);
        return has_port && is_valid_host(target) ? "" : "CONNECT asks for host:port";
    }
    if (target.starts_with('/')) return "";
    if (target == "*") return head.method == method::options ? "" : "only OPTIONS may ask for *";
    // absolute-form: a scheme, then "://" and an authority
    const auto colon = target.find("://");
    if (colon == std::string_view::npos || colon == 0) return "malformed request-target";
    if (!std::all_of(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return detail::is(c, detail::unreserved) || c == '+'; }))
        return "malformed request-target";
    const auto rest = target.substr(colon + 3);
    return is_valid_host(rest.substr(0, rest.find_first_of("/?"))) ? "" : "malformed authority in request-target";
}

bool wants_keep_alive(version v, const fields& f) noexcept {
    if (f.has_token("Connection", "close")) return false;
    return v == version::http_1_1 || f.has_token("Connection", "keep-alive");
}

}  // namespace ringlet::http
