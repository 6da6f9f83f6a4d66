// SPDX-License-Identifier: MIT
#include "lessons/regex.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>

#define PCRE2_CODE_UNIT_WIDTH 8  // texts of bytes
#include <pcre2.h>

namespace lessons {
namespace {

PCRE2_SPTR bytes(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string message(int error) {
    std::array<PCRE2_UCHAR, 256> text;
    pcre2_get_error_message(error, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

// The beginning of the character after the one at `at`: 10xxxxxx is the middle of one.
std::size_t next_character(std::string_view text, std::size_t at) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
    return at;
}

}  // namespace

std::string match::group(std::string_view name) const {
    const int number = pcre2_substring_number_from_name(code_, bytes(std::string{name}));
    if (number < 0) throw std::invalid_argument{"no group has the name " + std::string{name}};
    return group(static_cast<std::size_t>(number));
}

regex::regex(std::string_view pattern) {
    int error = 0;
    std::size_t where = 0;
    code_ = pcre2_compile(bytes(pattern), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error, &where, nullptr);
    if (!code_)
        throw std::invalid_argument{message(error) + " at " + std::to_string(where) + " of " + std::string{pattern}};
}

regex::~regex() { pcre2_code_free(code_); }

std::optional<match> regex::find(std::string_view text, std::size_t from, unsigned how) const {
    const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> found{
        pcre2_match_data_create_from_pattern(code_, nullptr), &pcre2_match_data_free};
    if (!found) throw std::bad_alloc{};
    const int count = pcre2_match(code_, bytes(text), text.size(), from, how, found.get(), nullptr);
    if (count == PCRE2_ERROR_NOMATCH) return std::nullopt;
    if (count < 0) throw std::runtime_error{message(count)};
    const std::size_t* const places = pcre2_get_ovector_pointer(found.get());
    lessons::match result;
    result.code_ = code_;
    result.begin_ = places[0];
    result.end_ = places[1];
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
        result.groups_.emplace_back(places[2 * i] == PCRE2_UNSET
                                        ? std::string_view{}
                                        : text.substr(places[2 * i], places[2 * i + 1] - places[2 * i]));
    return result;
}

std::optional<match> regex::match(std::string_view text) const { return find(text, 0, PCRE2_ANCHORED); }
std::optional<match> regex::fullmatch(std::string_view text) const {
    return find(text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED);
}
std::optional<match> regex::search(std::string_view text, std::size_t from) const { return find(text, from, 0); }

std::vector<match> regex::findall(std::string_view text) const {
    std::vector<lessons::match> all;
    for (std::size_t at = 0; at <= text.size();) {
        auto found = search(text, at);
        if (!found) break;
        at = found->end() > found->begin() ? found->end()
                                           : next_character(text, found->end());  // an empty match moves on
        all.push_back(*std::move(found));
    }
    return all;
}

std::string regex::sub(std::string_view replacement, std::string_view text) const {
    constexpr std::uint32_t how = PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH;
    std::string result(text.size() + 64, '\0');
    for (;;) {
        std::size_t size = result.size();
        const int count =
            pcre2_substitute(code_, bytes(text), text.size(), 0, how, nullptr, nullptr, bytes(replacement),
                             replacement.size(), reinterpret_cast<PCRE2_UCHAR*>(result.data()), &size);
        result.resize(size);
        if (count >= 0) return result;
        if (count != PCRE2_ERROR_NOMEMORY) throw std::invalid_argument{message(count)};
    }
}

std::string regex::sub(const std::function<std::string(const lessons::match&)>& replacement,
                       std::string_view text) const {
    std::string result;
    std::size_t kept = 0;
    for (const auto& found : findall(text)) {
        result += text.substr(kept, found.begin() - kept);
        result += replacement(found);
        kept = found.end();
    }
    return result.append(text.substr(kept));
}

std::vector<std::string> regex::split(std::string_view text) const {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (const auto& found : findall(text)) {
        parts.emplace_back(text.substr(begin, found.begin() - begin));
        begin = found.end();
    }
    parts.emplace_back(text.substr(begin));
    return parts;
}

}  // namespace lessons
