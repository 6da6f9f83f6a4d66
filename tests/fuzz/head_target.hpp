// SPDX-License-Identifier: MIT
// A request's head out of readable text: "METHOD NUMBER" and a field on each further line. It is more lenient than a parser:
// what is under test must stand every field.
#pragma once

#include "fuzz.hpp"
#include <ringlet/http/message.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace fuzz {

struct told_head {
    ringlet::http::request_head request;
    std::uint64_t number = 0;  ///< the largest when it does not fit

    explicit told_head(std::string_view text) {
        const std::string_view first = take(text, '\n');
        std::string_view rest = first;
        request.method = ringlet::http::method_from(take(rest, ' '));
        if (std::from_chars(rest.data(), rest.data() + rest.size(), number).ec == std::errc::result_out_of_range)
            number = std::numeric_limits<std::uint64_t>::max();
        while (!text.empty()) {
            std::string_view value = take(text, '\n');
            const std::string_view name = take(value, ':');
            request.fields.add(name, value);
        }
    }

private:
    /// What stands before `end`; it and `end` leave `text`.
    static std::string_view take(std::string_view& text, char end) noexcept {
        const std::size_t size = std::min(text.find(end), text.size());
        const std::string_view taken = text.substr(0, size);
        text.remove_prefix(std::min(size + 1, text.size()));
        return taken;
    }
};

/// The same request when all lines of one name are sent as one, which means the same for a list (RFC 9110 section 5.3).
inline ringlet::http::request_head with_one_line(const ringlet::http::request_head& request, std::string_view name) {
    ringlet::http::request_head joined = request;
    if (joined.fields.count(name) < 2) return joined;
    std::string value;
    for (std::size_t i = 0, seen = 0; i < request.fields.size(); ++i) {
        ringlet::http::fields one;
        one.add(request.fields[i].name, request.fields[i].value);
        if (one.contains(name)) value.append(seen++ > 0 ? ", " : "").append(request.fields[i].value);
    }
    joined.fields.set(name, value);
    return joined;
}

inline ringlet::http::request_head without(ringlet::http::request_head request, std::string_view name) {
    request.fields.remove(name);
    return request;
}

}  // namespace fuzz
