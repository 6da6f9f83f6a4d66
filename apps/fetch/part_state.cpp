// SPDX-License-Identifier: MIT
#include "fetch/part_state.hpp"

#include "common/numbers.hpp"

#include <fmt/format.h>

namespace fetch {
namespace {

constexpr std::string_view first_line = "ringlet-fetch part 1\n";
constexpr std::size_t segments_max = 10'000;
// BEGIN END DONE CHECK
constexpr std::size_t segment_line_bytes = 8 + 3 * 21 + 16 + 1;

std::string number_or_dash(const std::optional<std::uint64_t>& number) {
    return number ? std::to_string(*number) : "-";
}

// All lines but those of the segments.
std::string encode_head(const part_state& state) {
    std::string text = fmt::format("{}url {}\nvalidator {}\ntotal {}\n", first_line, state.url, state.validator,
                                   number_or_dash(state.total));
    text += fmt::format("check {:016x}\n", check_of(text));
    return text;
}

class reader {
public:
    explicit reader(std::string_view text) noexcept : rest_{text} {}

    // What stands behind `name` in the next line.
    std::optional<std::string_view> value(std::string_view name) noexcept {
        const std::size_t end = rest_.find('\n');
        if (end == rest_.npos || !rest_.starts_with(name)) return std::nullopt;
        const std::string_view text = rest_.substr(name.size(), end - name.size());
        rest_.remove_prefix(end + 1);
        return text;
    }
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

private:
    std::string_view rest_;
};

std::optional<segment> decode_segment(std::string_view line) {
    constexpr std::size_t name = 8;
    constexpr std::size_t digits = 20;
    const auto begin = apps::parse_whole(line.substr(name, digits));
    const auto end = apps::parse_whole(line.substr(name + digits + 1, digits));
    const auto done = apps::parse_whole(line.substr(name + 2 * (digits + 1), digits));
    if (!begin || !end || !done || *end < *begin || *done > *end - *begin) return std::nullopt;
    const segment found{*begin, *end, *done};
    return segment_line(found) == line ? std::optional{found} : std::nullopt;
}

// From 0 on without gaps, and to the end.
bool cover_all(const part_state& state) noexcept {
    std::uint64_t next = 0;
    for (const segment& s : state.segments) {
        if (s.begin != next) return false;
        next = s.end;
    }
    return !state.segments.empty() && next == state.total.value_or(unbounded_end);
}

}  // namespace

std::uint64_t check_of(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

std::uint64_t part_state::done_bytes() const noexcept {
    std::uint64_t sum = 0;
    for (const segment& s : segments) sum += s.done;
    return sum;
}

std::string segment_line(const segment& which) {
    const std::string numbers = fmt::format("segment {:020} {:020} {:020} ", which.begin, which.end, which.done);
    return numbers + fmt::format("{:016x}\n", check_of(numbers));
}

std::size_t segment_offset(const part_state& state, std::size_t index) {
    return encode_head(state).size() + index * segment_line_bytes;
}

std::string encode(const part_state& state) {
    std::string text = encode_head(state);
    for (const segment& s : state.segments) text += segment_line(s);
    return text;
}

bool looks_like_state(std::string_view text) noexcept { return text.empty() || text.starts_with(first_line); }

std::optional<part_state> decode(std::string_view text) {
    if (!text.starts_with(first_line)) return std::nullopt;
    reader lines{text};
    part_state state;
    const auto title = lines.value("ringlet-fetch part ");
    const auto url = lines.value("url ");
    const auto validator = lines.value("validator ");
    const auto total = lines.value("total ");
    const auto check = lines.value("check ");
    if (!title || !url || !validator || !total || !check) return std::nullopt;
    state.url = *url;
    state.validator = *validator;
    if (*total != "-") {
        state.total = apps::parse_whole(*total);
        if (!state.total) return std::nullopt;
    }
    const std::string_view rest = lines.rest();
    if (rest.size() % segment_line_bytes != 0 || rest.size() / segment_line_bytes > segments_max) return std::nullopt;
    for (std::size_t at = 0; at < rest.size(); at += segment_line_bytes) {
        const auto found = decode_segment(rest.substr(at, segment_line_bytes));
        if (!found) return std::nullopt;
        state.segments.push_back(*found);
    }
    if (!cover_all(state) || (state.validator.empty() && !state.total) || encode(state) != text) return std::nullopt;
    return state;
}

}  // namespace fetch
