// SPDX-License-Identifier: MIT
// Regular expressions with the words of Python's re. PCRE2 does the work: the library that most programs use for expressions
// like Perl's, which Python's are, too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace lessons {

/// A part of a text that an expression fits.
class match {
public:
    /// m.group(n): what the n-th pair of parentheses has caught; 0 is all of it. Empty when it caught nothing.
    std::string group(std::size_t n = 0) const { return n < groups_.size() ? groups_[n] : ""; }
    /// m.group("name"), for (?P<name>...).
    std::string group(std::string_view name) const;
    std::size_t begin() const { return begin_; }  ///< m.start(), in bytes
    std::size_t end() const { return end_; }      ///< m.end()

private:
    friend class regex;
    const pcre2_real_code_8* code_ = nullptr;
    std::vector<std::string> groups_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// re.compile(pattern). Texts are UTF-8. Throws std::invalid_argument when the pattern makes no sense.
class regex {
public:
    explicit regex(std::string_view pattern);
    regex(const regex&) = delete;
    regex& operator=(const regex&) = delete;
    ~regex();

    /// Fits from the beginning of the text on; nothing when it does not. A match must not outlive its regex.
    std::optional<lessons::match> match(std::string_view text) const;
    /// Fits the whole text.
    std::optional<lessons::match> fullmatch(std::string_view text) const;
    /// Fits anywhere: the first place from `from` on.
    std::optional<lessons::match> search(std::string_view text, std::size_t from = 0) const;
    /// Every place, from left to right (Python's finditer; its findall gives the strings).
    std::vector<lessons::match> findall(std::string_view text) const;
    /// The text with every place replaced: by `replacement`, in which $1 and ${name} are groups (Python: \1, \g<name>) ...
    std::string sub(std::string_view replacement, std::string_view text) const;
    /// ... or by what a function makes of it.
    std::string sub(const std::function<std::string(const lessons::match&)>& replacement, std::string_view text) const;
    /// What is between the places.
    std::vector<std::string> split(std::string_view text) const;

private:
    std::optional<lessons::match> find(std::string_view text, std::size_t from, unsigned how) const;
    pcre2_real_code_8* code_;
};

}  // namespace lessons
