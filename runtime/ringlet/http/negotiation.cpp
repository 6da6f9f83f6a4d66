// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/negotiation.hpp>

#include <algorithm>
#include <optional>

namespace ringlet::http {
namespace {

// A weight of RFC 9110 section 12.4.2 in thousandths; nothing when it is malformed.
std::optional<unsigned> parse_weight(std::string_view text) noexcept {
    if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    unsigned thousandths = text[0] == '1' ? 1000 : 0;
    if (text.size() == 1) return thousandths;
    if (text[1] != '.' || text.size() > 5) return std::nullopt;
    unsigned unit = 100;
    for (const char c : text.substr(2)) {
        if (c < '0' || c > '9') return std::nullopt;
        thousandths += static_cast<unsigned>(c - '0') * unit;
        unit /= 10;
    }
    return std::min(thousandths, 1000U);
}

struct weighted_coding {
    std::string_view name;
    unsigned weight = 1000;
};

// "gzip;q=0.5"; a malformed weight makes it unacceptable: less harm than a coding that cannot be read.
weighted_coding parse_coding(std::string_view item) noexcept {
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    weighted_coding coding{.name = detail::trim(item.substr(0, semicolon))};
    if (semicolon == item.size()) return coding;
    const std::string_view parameter = detail::trim(item.substr(semicolon + 1));
    const bool is_weight = parameter.starts_with("q=") || parameter.starts_with("Q=");
    coding.weight = is_weight ? parse_weight(parameter.substr(2)).value_or(0) : 0;
    return coding;
}

bool is_coding(std::string_view sent, std::string_view coding) noexcept {
    if (detail::equal_ignoring_case(sent, coding)) return true;
    return detail::equal_ignoring_case(coding, "gzip") && detail::equal_ignoring_case(sent, "x-gzip");
}

}  // namespace

unsigned accepted_quality(const request_head& request, std::string_view coding) noexcept {
    std::optional<unsigned> named;
    std::optional<unsigned> any;
    for (const auto& field : request.fields) {
        if (!detail::equal_ignoring_case(field.name, "Accept-Encoding")) continue;
        std::string_view list = field.value;
        while (!list.empty()) {
            const std::size_t comma = std::min(list.find(','), list.size());
            const weighted_coding sent = parse_coding(list.substr(0, comma));
            list.remove_prefix(std::min(comma + 1, list.size()));
            if (is_coding(sent.name, coding)) named = sent.weight;
            if (sent.name == "*") any = sent.weight;
        }
    }
    const bool identity = detail::equal_ignoring_case(coding, "identity");
    return named.value_or(any.value_or(identity ? 1 : 0));
}

}  // namespace ringlet::http
