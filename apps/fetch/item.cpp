// SPDX-License-Identifier: MIT
#include "fetch/item.hpp"

#include "fetch/names.hpp"
#include <ringlet/http/percent.hpp>
#include <ringlet/http/url.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>

namespace fetch {
namespace {

constexpr std::string_view blanks = " \t";

// The next word of the line; empty at its end.
std::string_view take_word(std::string_view& line) noexcept {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

std::string_view trimmed(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// Without its end.
std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

// Some editors mark UTF-8 so.
std::string_view without_byte_order_mark(std::string_view text) noexcept {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

bool looks_like_url(std::string_view word) noexcept { return word.find("://") != word.npos; }

std::string read_line(std::string_view line, item& into) {
    std::string_view word = take_word(line);
    if (!looks_like_url(word)) {
        const auto checksum = apps::parse_digest(word);
        if (!checksum)
            return std::string{word} +
                   ": neither a URL nor a checksum (sha256:, sha512:, sha1: or md5: and its digits)";
        into.checksum = std::make_shared<const apps::wanted_digest>(*checksum);
        word = take_word(line);
        if (word.empty()) return "a checksum without a URL";
    }
    if (std::string wrong = check_url(word); !wrong.empty()) return wrong;
    into.url = word;
    into.name = trimmed(line);
    return {};
}

using checksum = std::shared_ptr<const apps::wanted_digest>;

struct sum {
    apps::wanted_digest digest;
    std::string name;
};

// A name with a line's end or a backslash in it is written with backslashes, and one stands before the line.
std::string unescaped(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            name += text[i];
            continue;
        }
        ++i;
        name += text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i];
    }
    return name;
}

// "HEX  NAME" or, with --tag and on BSD, "SHA256 (NAME) = HEX".
std::optional<sum> read_sum(std::string_view line) {
    const bool escaped = line.starts_with('\\');
    if (escaped) line.remove_prefix(1);
    const std::size_t digits = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
    std::optional<apps::wanted_digest> digest = apps::parse_hex_digest(line.substr(0, digits));
    std::string_view name = line.substr(digits);
    const std::size_t open = line.find(" (");
    const std::size_t close = line.rfind(") = ");
    if (digest && name.size() > 2 && (name.starts_with("  ") || name.starts_with(" *"))) {
        name.remove_prefix(2);
    } else if (open != line.npos && close != line.npos && open + 2 < close) {
        digest = apps::parse_digest(fmt::format("{}:{}", line.substr(0, open), line.substr(close + 4)));
        name = line.substr(open + 2, close - open - 2);
    } else {
        return std::nullopt;
    }
    if (!digest) return std::nullopt;
    if (name.starts_with("./")) name.remove_prefix(2);
    return sum{*std::move(digest), escaped ? unescaped(name) : std::string{name}};
}

}  // namespace

std::string check_url(std::string_view text) {
    const auto url = ringlet::http::url::parse(text);
    if (!url) return std::string{text} + ": " + std::string{url.reason()};
    if (!url->user_info().empty()) return url->to_string() + ": a login in the URL is not supported";
    return {};
}

std::string read_list(std::string_view text, std::vector<item>& into) {
    text = without_byte_order_mark(text);
    into.reserve(into.size() + static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = trimmed(take_line(text));
        if (line.empty() || line.starts_with('#')) continue;
        item next;
        if (const std::string wrong = read_line(line, next); !wrong.empty())
            return fmt::format("line {}: {}", number, wrong);
        into.push_back(std::move(next));
    }
    return {};
}

std::string read_sums(std::string_view text, std::vector<item>& items) {
    text = without_byte_order_mark(text);
    std::unordered_map<std::string, checksum> sums;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        if (trimmed(line).empty() || line.starts_with('#')) continue;
        std::optional<sum> read = read_sum(line);
        if (!read) return fmt::format("line {}: not a checksum and a name, as sha256sum writes them", number);
        sums.emplace(std::move(read->name), std::make_shared<const apps::wanted_digest>(std::move(read->digest)));
    }
    for (item& each : items) {
        if (each.checksum) continue;
        const auto url = ringlet::http::url::parse(each.url);
        const std::string name = each.name.empty() ? name_from_segment(url->last_segment()) : each.name;
        auto found = sums.end();
        // As the server calls it, which may be no name for a file.
        if (each.name.empty()) found = sums.find(ringlet::http::percent_decode(url->last_segment()).value_or(""));
        if (found == sums.end()) found = sums.find(name);
        if (found == sums.end()) return fmt::format("it has no checksum of {}", name);
        each.checksum = found->second;
    }
    return {};
}

}  // namespace fetch
