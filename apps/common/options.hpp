// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apps {

/// The command line of a program, the same for all of ours: add options to app(), then parse().
///
/// -h and --help print the help on stdout and win over everything else; -V and --version print one line; what is wrong
/// is said on stderr, with the option that was probably meant, and "Try 'NAME --help' for more information.".
/// No option takes an empty value: it is a mistake, most often of a script whose variable is not set.
class option_parser {
public:
    /// `examples` stand first in the help, one a line; `footer` stands last (exit codes, notes).
    option_parser(std::string name, std::string description, const std::vector<std::string>& examples,
                  std::string footer = {});

    [[nodiscard]] CLI::App& app() noexcept { return app_; }

    /// Result: nullopt when the program is to go on, else the exit status: 0 after help or version, 1 when those
    /// cannot be written, 2 for bad usage.
    [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv);
    /// The same with other streams, for tests.
    [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

    /// Says that the command line is wrong in a way that only the program can see; returns 2.
    int usage_error(const std::string& what) const;
    int usage_error(const std::string& what, std::ostream& err) const;

private:
    int show(const std::string& text, std::ostream& out, std::ostream& err) const;
    int tell(const CLI::ParseError& error, std::ostream& err);
    [[nodiscard]] std::optional<std::string> closest_option(std::string_view unknown) const;

    std::string name_;
    CLI::App app_;
};

/// How many characters have to be typed, removed, replaced or swapped to make `b` of `a`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// For transform(): lets whole numbers from `min` to `max` through, strictly decimal, as CLI11 alone would not ("010" is 8
/// to it, "" is 0).
[[nodiscard]] CLI::Validator is_whole(std::uint64_t min, std::uint64_t max);
/// For transform(): the same for a port, 0 to 65535.
[[nodiscard]] CLI::Validator is_port();
/// The CLI11 check for a size ("64k"), see parse_size.
[[nodiscard]] CLI::Validator is_size();
/// The CLI11 check for a duration ("1.5s"), see parse_duration.
[[nodiscard]] CLI::Validator is_duration();

}  // namespace apps
