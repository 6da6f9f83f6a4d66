// SPDX-License-Identifier: MIT
#include <ringlet/http/conditional.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/http/detail/characters.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace ringlet::http {
namespace {

enum class comparison : std::uint8_t { strong, weak };

struct entity_tag {
    std::string_view opaque;  // with its quotes
    bool weak = false;
};

// Takes one tag off the front of `text`.
std::optional<entity_tag> take_entity_tag(std::string_view& text) noexcept {
    entity_tag tag;
    if (text.starts_with("W/")) {
        tag.weak = true;
        text.remove_prefix(2);
    }
    if (!text.starts_with('"')) return std::nullopt;
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    tag.opaque = text.substr(0, end + 1);
    const auto is_etagc = [](char c) {
        return c == '!' || (c >= 0x23 && c != 0x7f) || static_cast<signed char>(c) < 0;
    };
    if (!std::ranges::all_of(tag.opaque.substr(1, end - 1), is_etagc)) return std::nullopt;
    text.remove_prefix(end + 1);
    return tag;
}

bool are_same(const entity_tag& a, const entity_tag& b, comparison how) noexcept {
    if (how == comparison::strong && (a.weak || b.weak)) return false;
    return a.opaque == b.opaque;
}

enum class list_verdict : std::uint8_t { none, matches, malformed };

list_verdict search_list(std::string_view list, const entity_tag& wanted, comparison how) noexcept {
    bool found = false;
    for (;;) {
        list = detail::trim(list);
        if (list.empty()) return found ? list_verdict::matches : list_verdict::none;
        if (list.front() == ',') {
            list.remove_prefix(1);
            continue;
        }
        const auto tag = take_entity_tag(list);
        list = detail::trim(list);
        if (!tag || (!list.empty() && list.front() != ',')) return list_verdict::malformed;
        found = found || are_same(*tag, wanted, how);
    }
}

// Whether the field, If-Match or If-None-Match, names the present state. All its lines are one list.
bool names_current(const fields& all, std::string_view name, const validators& current, comparison how) noexcept {
    std::string_view own_text = current.etag;
    const std::optional<entity_tag> own = take_entity_tag(own_text);
    bool found = false;
    for (const auto& field : all) {
        if (!detail::equal_ignoring_case(field.name, name)) continue;
        if (detail::trim(field.value) == "*") return all.count(name) == 1;  // it is no member of a list
        if (!own) continue;
        const list_verdict verdict = search_list(field.value, *own, how);
        if (verdict == list_verdict::malformed) return false;
        found = found || verdict == list_verdict::matches;
    }
    return found;
}

// The date of a field that may stand once; nothing when there is none, several, or no date.
std::optional<std::chrono::sys_seconds> date_of(const fields& all, std::string_view name) noexcept {
    if (all.count(name) != 1) return std::nullopt;
    return parse_date(detail::trim(*all.get(name)));
}

bool reads(method m) noexcept { return m == method::get || m == method::head; }

// Takes digits off the front. A number that does not fit is as good as the largest: no file is so long.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
    if (error == std::errc::result_out_of_range) number = std::numeric_limits<std::uint64_t>::max();
    text.remove_prefix(digits);
    return number;
}

// All of `text` as a number; one that does not fit is none.
std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// One range-spec of RFC 9110 section 14.1.2, cut to the size.
std::optional<selected_range> take_range(std::string_view spec, std::uint64_t size) noexcept {
    using kind = selected_range::kind;
    std::uint64_t first = 0;
    std::uint64_t end = size;
    if (spec.starts_with('-')) {
        spec.remove_prefix(1);
        const auto suffix = take_number(spec);
        if (!suffix || !spec.empty()) return std::nullopt;
        if (*suffix == 0) return selected_range{.what = kind::unsatisfiable};
        first = size - std::min(*suffix, size);
        if (size == 0) return selected_range{};  // all of nothing, for which Content-Range has no form
    } else {
        const auto from = take_number(spec);
        if (!from || !spec.starts_with('-')) return std::nullopt;
        spec.remove_prefix(1);
        if (!spec.empty()) {
            const auto last = take_number(spec);
            if (!last || !spec.empty() || *last < *from) return std::nullopt;
            if (*last < size) end = *last + 1;
        }
        first = *from;
        if (first >= size) return selected_range{.what = kind::unsatisfiable};
    }
    return selected_range{.what = kind::part, .first = first, .bytes = end - first};
}

// What `bytes=...` selects.
selected_range parse_ranges(std::string_view value, std::uint64_t size) noexcept {
    using kind = selected_range::kind;
    constexpr std::string_view unit = "bytes=";
    if (!detail::equal_ignoring_case(value.substr(0, unit.size()), unit)) return {};
    value.remove_prefix(unit.size());
    std::optional<selected_range> selected;
    while (!value.empty()) {
        const std::size_t comma = std::min(value.find(','), value.size());
        const std::string_view spec = detail::trim(value.substr(0, comma));
        value.remove_prefix(std::min(comma + 1, value.size()));
        if (spec.empty()) continue;
        const std::optional<selected_range> one = take_range(spec, size);
        if (!one) return {};
        if (!selected || selected->what == kind::unsatisfiable)
            selected = one;
        else if (one->what != kind::unsatisfiable)
            selected = selected_range{};  // several: all of it; and on, because the rest may be malformed
    }
    return selected.value_or(selected_range{});
}

bool if_range_matches(std::string_view value, const validators& current, std::chrono::sys_seconds now) noexcept {
    std::string_view text = detail::trim(value);
    if (text.starts_with('"') || text.starts_with("W/")) {
        std::string_view own_text = current.etag;
        const auto own = take_entity_tag(own_text);
        const auto named = take_entity_tag(text);
        return own && named && text.empty() && are_same(*own, *named, comparison::strong);
    }
    const auto date = parse_date(text, now);
    // Within the second of a change the date does not tell one state from the next (RFC 9110 section 8.8.2.2).
    return date && current.last_modified && *date == *current.last_modified && *date < now;
}

}  // namespace

precondition evaluate_preconditions(const request_head& request, const validators& current) {
    const fields& all = request.fields;
    if (all.contains("If-Match")) {
        if (!names_current(all, "If-Match", current, comparison::strong)) return precondition::failed;
    } else if (const auto date = date_of(all, "If-Unmodified-Since"); date && current.last_modified) {
        if (*current.last_modified > *date) return precondition::failed;
    }
    if (all.contains("If-None-Match")) {
        if (names_current(all, "If-None-Match", current, comparison::weak))
            return reads(request.method) ? precondition::not_modified : precondition::failed;
    } else if (reads(request.method)) {
        const auto date = date_of(all, "If-Modified-Since");
        if (date && current.last_modified && *current.last_modified <= *date) return precondition::not_modified;
    }
    return precondition::passed;
}

selected_range select_range(const request_head& request, const validators& current, std::uint64_t size,
                            std::chrono::sys_seconds now) {
    const fields& all = request.fields;
    if (request.method != method::get || all.count("Range") != 1) return {};
    if (all.contains("If-Range")) {
        if (all.count("If-Range") != 1 || !if_range_matches(*all.get("If-Range"), current, now)) return {};
    }
    return parse_ranges(detail::trim(*all.get("Range")), size);
}

std::string content_range(const selected_range& range, std::uint64_t size) {
    if (range.what == selected_range::kind::unsatisfiable) return fmt::format("bytes */{}", size);
    return fmt::format("bytes {}-{}/{}", range.first, range.first + range.bytes - 1, size);
}

std::optional<content_range_value> parse_content_range(std::string_view text) noexcept {
    text = detail::trim(text);
    constexpr std::string_view unit = "bytes ";
    if (!detail::equal_ignoring_case(text.substr(0, unit.size()), unit)) return std::nullopt;
    text.remove_prefix(unit.size());
    const std::size_t slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    const std::string_view range = text.substr(0, slash);
    const std::string_view whole = text.substr(slash + 1);
    content_range_value value;
    if (whole != "*") {
        value.size = whole_number(whole);
        if (!value.size) return std::nullopt;
    }
    if (range == "*") return value.size ? std::optional{value} : std::nullopt;
    const std::size_t dash = range.find('-');
    if (dash == range.npos) return std::nullopt;
    const auto first = whole_number(range.substr(0, dash));
    const auto last = whole_number(range.substr(dash + 1));
    if (!first || !last || *last < *first || *last - *first == std::numeric_limits<std::uint64_t>::max())
        return std::nullopt;
    if (value.size && *last >= *value.size) return std::nullopt;
    value.first = *first;
    value.bytes = *last - *first + 1;
    return value;
}

std::string_view strong_validator(const response_head& response) noexcept {
    if (response.fields.count("ETag") == 1) {
        const std::string_view text = detail::trim(*response.fields.get("ETag"));
        std::string_view rest = text;
        const auto tag = take_entity_tag(rest);
        if (tag && !tag->weak && rest.empty()) return text;
        return {};  // a weak one says that the bytes may differ
    }
    if (response.fields.count("Last-Modified") != 1 || response.fields.count("Date") != 1) return {};
    const std::string_view text = detail::trim(*response.fields.get("Last-Modified"));
    const auto modified = parse_date(text);
    const auto sent = parse_date(*response.fields.get("Date"));
    return modified && sent && *modified < *sent ? text : std::string_view{};
}

}  // namespace ringlet::http
