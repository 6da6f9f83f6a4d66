// SPDX-License-Identifier: MIT
#include "head_target.hpp"
#include <ringlet/http/conditional.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/http/detail/characters.hpp>

#include <fmt/format.h>

#include <optional>
#include <vector>

namespace {

using fuzz::require;
using namespace ringlet::http;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using selection = selected_range::kind;

constexpr sys_seconds modified{seconds{784111777}};
constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

bool operator==(const selected_range& a, const selected_range& b) {
    return a.what == b.what && (a.what != selection::part || (a.first == b.first && a.bytes == b.bytes));
}

// RFC 9110 section 14.1.2 said once more, in wider numbers and without haste. Nothing: it is malformed.
struct model {
    __extension__ using wide = unsigned __int128;

    static std::optional<wide> number(std::string_view text) {
        if (text.empty()) return std::nullopt;
        wide value = 0;
        for (const char c : text) {
            if (c < '0' || c > '9') return std::nullopt;
            value = std::min<wide>(value * 10 + static_cast<unsigned>(c - '0'), largest);
        }
        return value;
    }

    static std::optional<selected_range> one(std::string_view spec, wide size) {
        const std::size_t dash = spec.find('-');
        if (dash == std::string_view::npos) return std::nullopt;
        const std::string_view before = spec.substr(0, dash);
        const std::string_view after = spec.substr(dash + 1);
        wide first = 0;
        wide last = size - 1;
        if (before.empty()) {
            const auto suffix = number(after);
            if (!suffix) return std::nullopt;
            if (*suffix == 0) return selected_range{.what = selection::unsatisfiable};
            if (size == 0) return selected_range{};
            if (*suffix < size) first = size - *suffix;
        } else {
            const auto from = number(before);
            const auto to = after.empty() ? std::optional<wide>{largest} : number(after);
            if (!from || !to || *to < *from) return std::nullopt;
            if (*from >= size) return selected_range{.what = selection::unsatisfiable};
            first = *from;
            if (*to < last) last = *to;
        }
        return selected_range{.what = selection::part,
                              .first = static_cast<std::uint64_t>(first),
                              .bytes = static_cast<std::uint64_t>(last - first + 1)};
    }

    static selected_range all(std::string_view value, std::uint64_t size) {
        if (value.size() < 6 || !detail::equal_ignoring_case(value.substr(0, 6), "bytes=")) return {};
        value.remove_prefix(6);
        std::vector<selected_range> good;
        bool any = false;
        for (std::size_t at = 0; at <= value.size();) {
            const std::size_t comma = std::min(value.find(',', at), value.size());
            const std::string_view spec = detail::trim(value.substr(at, comma - at));
            at = comma + 1;
            if (spec.empty()) continue;
            const auto got = one(spec, size);
            if (!got) return {};
            any = true;
            if (got->what != selection::unsatisfiable) good.push_back(*got);
        }
        if (good.size() == 1) return good.front();
        return good.empty() && any ? selected_range{.what = selection::unsatisfiable} : selected_range{};
    }
};

void check_range(const request_head& request, const validators& current, std::uint64_t size, sys_seconds now) {
    const selected_range got = select_range(request, current, size, now);
    if (got.what == selection::whole) return;
    require(request.method == method::get, "only GET has ranges");
    require(got == model::all(detail::trim(*request.fields.get("Range")), size), "as the model says");
    if (const auto condition = request.fields.get("If-Range")) {
        const std::string_view named = detail::trim(*condition);
        const bool same_tag = named == current.etag && named.starts_with('"');
        const bool same_date = parse_date(named, now) == current.last_modified && current.last_modified < now;
        require(same_tag || same_date, "If-Range compares strongly");
    }
    if (got.what == selection::unsatisfiable) {
        require(content_range(got, size) == fmt::format("bytes */{}", size), "Content-Range of a 416");
        return;
    }
    require(got.bytes > 0 && got.first < size && got.bytes <= size - got.first, "a part lies within");
    const std::string text = content_range(got, size);
    const std::size_t slash = text.find('/');
    require(text.substr(slash) == fmt::format("/{}", size), "Content-Range names the size");
    request_head again;
    again.fields.add("Range", "bytes=" + text.substr(6, slash - 6));
    require(select_range(again, current, size, now) == got, "Content-Range names the part");
}

void check_malformed_is_ignored(const request_head& request, std::uint64_t size, sys_seconds now) {
    if (request.method != method::get || request.fields.count("Range") != 1 || request.fields.contains("If-Range"))
        return;
    require(select_range(request, {}, size, now) == model::all(detail::trim(*request.fields.get("Range")), size),
            "without If-Range the model alone decides");
}

void check_preconditions(const request_head& request, const validators& current) {
    const fields& all = request.fields;
    const precondition got = evaluate_preconditions(request, current);
    const bool reads = request.method == method::get || request.method == method::head;
    require(got != precondition::not_modified || reads, "304 is for those who read");
    require(got != precondition::not_modified || all.contains("If-None-Match") || all.contains("If-Modified-Since"),
            "304 has been asked for");
    require(got != precondition::failed || all.contains("If-Match") || all.contains("If-Unmodified-Since") ||
                (all.contains("If-None-Match") && !reads),
            "412 has been asked for");
    if (all.contains("If-Match"))
        require(evaluate_preconditions(fuzz::without(request, "If-Unmodified-Since"), current) == got,
                "If-Match goes before the date");
    if (all.contains("If-None-Match"))
        require(evaluate_preconditions(fuzz::without(request, "If-Modified-Since"), current) == got,
                "If-None-Match goes before the date");
    for (const std::string_view name : {"If-Match", "If-None-Match"})
        require(evaluate_preconditions(fuzz::with_one_line(request, name), current) == got,
                "the lines of a list are one list");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::told_head told{fuzz::text_of(data, size)};
    for (const char* etag : {"\"v1\"", "W/\"v1\"", ""}) {
        const validators current{.etag = etag, .last_modified = modified};
        check_preconditions(told.request, current);
        for (const sys_seconds now : {modified, modified + seconds{1}})
            check_range(told.request, current, told.number, now);
    }
    check_preconditions(told.request, {});
    check_malformed_is_ignored(told.request, told.number, modified);
    return 0;
}
