// SPDX-License-Identifier: MIT
#include "fetch/item.hpp"

#include "fetch/names.hpp"
#include <ringlet/http/url.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
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

}  // namespace

std::string check_url(std::string_view text) {
    const auto url = ringlet::http::url::parse(text);
    if (!url) return std::string{text} + ": " + std::string{url.reason()};
    if (!url->user_info().empty()) return url->to_string() + ": a login in the URL is not supported";
    return {};
}

std::string read_list(std::string_view text, std::vector<item>& into) {
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
    std::unordered_map<std::string, std::shared_ptr<const apps::wanted_digest>> sums;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = take_line(text);
        if (trimmed(line).empty() || line.starts_with('#')) continue;
        const std::size_t digits = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
        const auto checksum = apps::parse_hex_digest(line.substr(0, digits));
        std::string_view name = line.substr(digits);
        if (!checksum || name.size() < 3 || name[0] != ' ' || (name[1] != ' ' && name[1] != '*'))
            return fmt::format("line {}: not a checksum and a name, as sha256sum writes them", number);
        name.remove_prefix(2);
        if (name.starts_with("./")) name.remove_prefix(2);
        sums.emplace(name, std::make_shared<const apps::wanted_digest>(*checksum));
    }
    for (item& each : items) {
        if (each.checksum) continue;
        const auto url = ringlet::http::url::parse(each.url);
        const std::string name = each.name.empty() ? name_from_segment(url->last_segment()) : each.name;
        const auto found = sums.find(name);
        if (found == sums.end()) return fmt::format("it has no checksum of {}", name);
        each.checksum = found->second;
    }
    return {};
}

}  // namespace fetch
