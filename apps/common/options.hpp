// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

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
class option_parser {
public:
    /// `examples` stand first in the help, one a line; `footer` stands last (exit codes, notes).
    option_parser(std::string name, std::string description, const std::vector<std::string>& examples,
                  std::string footer = {});

    [[nodiscard]] CLI::App& app() noexcept { return app_; }

    /// Result: nullopt when the program is to go on, else the exit status: 0 after help or version, 2 for bad usage.
    [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv);
    /// The same with other streams, for tests.
    [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

    /// Says that the command line is wrong in a way that only the program can see; returns 2.
    int usage_error(const std::string& what) const;
    int usage_error(const std::string& what, std::ostream& err) const;

private:
    [[nodiscard]] std::optional<std::string> closest_option(std::string_view unknown) const;

    std::string name_;
    CLI::App app_;
};

/// How many characters have to be typed, removed, replaced or swapped to make `b` of `a`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The CLI11 check for a size ("64k"), see parse_size.
[[nodiscard]] CLI::Validator is_size();
/// The CLI11 check for a duration ("1.5s"), see parse_duration.
[[nodiscard]] CLI::Validator is_duration();

}  // namespace apps
