// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/message.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace ringlet::http {

namespace {

constexpr std::array<std::pair<method, std::string_view>, 9> method_names{{{method::get, "GET"},
                                                                           {method::head, "HEAD"},
                                                                           {method::post, "POST"},
                                                                           {method::put, "PUT"},
                                                                           {method::delete_, "DELETE"},
                                                                           {method::connect, "CONNECT"},
                                                                           {method::options, "OPTIONS"},
                                                                           {method::trace, "TRACE"},
                                                                           {method::patch, "PATCH"}}};

}  // namespace

std::string_view to_string(method m) noexcept {
    for (const auto& [value, name] : method_names)
        if (value == m) return name;
    return {};
}

method method_from(std::string_view name) noexcept {
    for (const auto& [value, text] : method_names)
        if (text == name) return value;
    return method::other;
}

std::string_view reason_phrase(status s) noexcept {
    switch (to_number(s)) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 102:
            return "Processing";
        case 103:
            return "Early Hints";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 203:
            return "Non-Authoritative Information";
        case 204:
            return "No Content";
        case 205:
            return "Reset Content";
        case 206:
            return "Partial Content";
        case 207:
            return "Multi-Status";
        case 208:
            return "Already Reported";
        case 226:
            return "IM Used";
        case 300:
            return "Multiple Choices";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 305:
            return "Use Proxy";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 407:
            return "Proxy Authentication Required";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 423:
            return "Locked";
        case 424:
            return "Failed Dependency";
        case 425:
            return "Too Early";
        case 426:
            return "Upgrade Required";
        case 428:
            return "Precondition Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 451:
            return "Unavailable For Legal Reasons";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 506:
            return "Variant Also Negotiates";
        case 507:
            return "Insufficient Storage";
        case 508:
            return "Loop Detected";
        case 511:
            return "Network Authentication Required";
        default:
            return {};
    }
}

bool is_valid_field_name(std::string_view name) noexcept { return detail::all_of(name, detail::token_char); }

bool is_valid_field_value(std::string_view value) noexcept {
    return value.empty() || detail::all_of(value, detail::value_char);
}

fields::field fields::operator[](std::size_t index) const noexcept {
    assert(index < entries_.size());
    const entry& e = entries_[index];
    const std::string_view text = text_;
    return {text.substr(e.name_begin, e.name_size), text.substr(e.value_begin, e.value_size)};
}

[[gnu::always_inline]] inline bool fields::is_named(const entry& e, std::string_view name) const noexcept {
    return e.name_size == name.size() &&
           detail::equal_ignoring_case(std::string_view{text_}.substr(e.name_begin, e.name_size), name);
}

std::optional<std::string_view> fields::find(std::string_view name) const noexcept {
    for (const entry& e : entries_)
        if (is_named(e, name)) return std::string_view{text_}.substr(e.value_begin, e.value_size);
    return std::nullopt;
}

std::size_t fields::count_of(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(entries_, [&](const entry& e) { return is_named(e, name); }));
}

bool fields::lists_token(std::string_view name, std::string_view token) const noexcept {
    for (const entry& e : entries_) {
        if (!is_named(e, name)) continue;
        std::string_view rest = std::string_view{text_}.substr(e.value_begin, e.value_size);
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            if (detail::equal_ignoring_case(detail::trim(rest.substr(0, comma)), token)) return true;
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return false;
}

fields& fields::add(std::string_view name, std::string_view value) {
    start_name();
    append_name(name);
    append_value(value);
    finish_value();
    return *this;
}

fields& fields::set(std::string_view name, std::string_view value) {
    remove(name);
    return add(name, value);
}

std::size_t fields::remove(std::string_view name) noexcept {
    return std::erase_if(entries_, [&](const entry& e) { return is_named(e, name); });
}

void fields::clear() noexcept {
    text_.clear();
    entries_.clear();
    name_lengths_ = 0;
}

void fields::start_name() { entries_.push_back({static_cast<std::uint32_t>(text_.size()), 0, 0, 0}); }

void fields::append_name(std::string_view piece) {
    text_ += piece;
    entry& last = entries_.back();
    last.name_size += static_cast<std::uint32_t>(piece.size());
    name_lengths_ |= length_bit(last.name_size);
    last.value_begin = static_cast<std::uint32_t>(text_.size());
}

void fields::append_value(std::string_view piece) {
    text_ += piece;
    entries_.back().value_size += static_cast<std::uint32_t>(piece.size());
}

void fields::finish_value() noexcept {
    entry& last = entries_.back();
    const auto value = std::string_view{text_}.substr(last.value_begin, last.value_size);
    const auto trimmed = detail::trim(value);
    if (!trimmed.empty()) last.value_begin += static_cast<std::uint32_t>(trimmed.data() - value.data());
    last.value_size = static_cast<std::uint32_t>(trimmed.size());
}

void request_head::clear() noexcept {
    method = http::method::get;
    method_text.clear();
    target.clear();
    version = http::version::http_1_1;
    fields.clear();
}

void response_head::clear() noexcept {
    status = http::status::ok;
    reason.clear();
    version = http::version::http_1_1;
    fields.clear();
}

}  // namespace ringlet::http
