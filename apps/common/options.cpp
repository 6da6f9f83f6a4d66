// SPDX-License-Identifier: MIT
#include "options.hpp"

#include "exit_codes.hpp"
#include "numbers.hpp"
#include "sanitize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <iostream>

#ifndef RINGLET_VERSION
#define RINGLET_VERSION "0.1.0"
#endif

namespace apps {

namespace {

std::string description_with(const std::string& description, const std::vector<std::string>& examples) {
    if (examples.empty()) return description;
    std::string out = description + "\n\nExamples:\n";
    for (const auto& example : examples) out += "  " + example + "\n";
    return out;
}

// True when one of the words before "--" asks for help, whatever else is wrong.
bool asks_for_help(int argc, const char* const* argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--") return false;
        if (word == "--help") return true;
    }
    return false;
}

// To CLI11 "[a,b]" is two words where several may stand. What ends with a NUL byte, which no word of a command line has, is
// one to it.
std::string kept_whole(std::string word) {
    if (word.starts_with('[') && word.ends_with(']')) word += '\0';
    return word;
}
std::string as_it_was(std::string word) {
    if (word.ends_with('\0')) word.pop_back();
    return word;
}

// In the order in which they stand there, which CLI11's own message does not keep.
std::string unexpected(const std::vector<std::string>& words) {
    std::string said = words.size() > 1 ? "unexpected words:" : "unexpected word:";
    for (const std::string& word : words) said += " " + as_it_was(word);
    return said;
}

// The first word that looks like an option and is none.
std::string first_option_like(const std::vector<std::string>& words) {
    const auto found =
        std::find_if(words.begin(), words.end(), [](const std::string& w) { return w.size() > 1 && w[0] == '-'; });
    return found == words.end() ? std::string{} : found->substr(0, found->find('='));
}

void for_each_option(CLI::App& app, const std::function<void(CLI::Option&)>& action) {
    for (CLI::Option* const option : app.get_options()) action(*option);
    for (CLI::App* const command : app.get_subcommands(std::function<bool(CLI::App*)>{}))
        for_each_option(*command, action);
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

CLI::Option* find_option(CLI::App& app, const std::function<bool(const CLI::Option&)>& wanted) {
    CLI::Option* found = nullptr;
    for_each_option(app, [&](CLI::Option& option) {
        if (found == nullptr && wanted(option)) found = &option;
    });
    return found;
}

// The option of "--name", "-n" or "-qn", when its value is the next word.
CLI::Option* awaits_value(CLI::App& app, const std::string& word) {
    if (word.starts_with("--")) {
        CLI::Option* const option =
            find_option(app, [&](const auto& each) { return each.check_lname(word.substr(2)); });
        return option && !is_flag(*option) ? option : nullptr;
    }
    for (std::size_t i = 1; word.starts_with('-') && i < word.size(); ++i) {
        CLI::Option* const option =
            find_option(app, [&](const auto& each) { return each.check_sname(word.substr(i, 1)); });
        if (!option) return nullptr;
        if (!is_flag(*option)) return i + 1 == word.size() ? option : nullptr;
    }
    return nullptr;
}

// The command line as CLI11 understands it as everybody else does: to it the value of "--name=" is the next word, and the
// flag "--name=maybe" anything.
std::vector<std::string> words_of(CLI::App& app, int argc, const char* const* argv) {
    std::vector<std::string> words;
    int i = 1;
    for (; i < argc && std::string_view{argv[i]} != "--"; ++i) {
        std::string word = argv[i];
        const std::size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
        if (equals != word.npos) {
            const std::string name = word.substr(2, equals - 2);
            const CLI::Option* const option =
                find_option(app, [&](const auto& each) { return each.check_lname(name); });
            if (option && is_flag(*option)) throw CLI::ArgumentMismatch{option->get_name() + " takes no value"};
            if (option && equals + 1 == word.size()) {
                words.push_back("--" + name);
                word.clear();
            }
            words.push_back(std::move(word));
        } else if (const CLI::Option* const option = awaits_value(app, word)) {
            if (i + 1 == argc) throw CLI::ArgumentMismatch{option->get_name() + ": the value is missing"};
            words.push_back(std::move(word));
            words.emplace_back(argv[++i]);
        } else {
            words.push_back(kept_whole(std::move(word)));
        }
    }
    if (i < argc) words.emplace_back(argv[i++]);
    for (; i < argc; ++i) words.push_back(kept_whole(argv[i]));
    return words;
}

// Writes the number anew, because CLI11 converts it once more.
CLI::Validator whole_number(const std::string& what, std::uint64_t min, std::uint64_t max, const std::string& shown) {
    const auto rewrite = [=](std::string& text) {
        const auto value = parse_whole(text);
        if (!value || *value < min || *value > max)
            return fmt::format("not a {}: {} ({} to {})", what, text.empty() ? "nothing" : text, min, max);
        text = std::to_string(*value);
        return std::string{};
    };
    return CLI::Validator{rewrite, shown};
}

}  // namespace

option_parser::option_parser(std::string name, std::string description, const std::vector<std::string>& examples,
                             std::string footer)
    : name_{std::move(name)}, app_{description_with(description, examples), name_} {
    app_.set_help_flag("-h,--help", "Show this help and exit");
    app_.set_version_flag("-V,--version", name_ + " " + RINGLET_VERSION, "Show the version and exit");
    app_.footer(std::move(footer));
}

std::optional<int> option_parser::parse(int argc, const char* const* argv) {
    return parse(argc, argv, std::cout, std::cerr);
}

std::optional<int> option_parser::parse(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
    for_each_option(app_, [](CLI::Option& option) {
        if (is_flag(option)) return;
        option.transform(CLI::Validator{[](std::string& word) {
                                            word = as_it_was(word);
                                            return std::string{};
                                        },
                                        ""});
    });
    try {
        std::vector<std::string> words = words_of(app_, argc, argv);
        std::reverse(words.begin(), words.end());  // as parse() wants them
        app_.parse(std::move(words));
        const CLI::Option* const empty = find_option(app_, [](const auto& each) {
            return !each.get_positional() && std::ranges::find(each.results(), "") != each.results().end();
        });
        if (empty) throw CLI::ArgumentMismatch{empty->get_name() + ": the value is empty"};
        return std::nullopt;
    } catch (const CLI::CallForHelp&) {
        return show(app_.help(), out, err);
    } catch (const CLI::CallForVersion& version) {
        return show(version.what() + std::string{"\n"}, out, err);
    } catch (const CLI::ParseError& error) {
        if (asks_for_help(argc, argv)) return show(app_.help(), out, err);
        return tell(error, err);
    }
}

int option_parser::tell(const CLI::ParseError& error, std::ostream& err) {
    const auto unknown = first_option_like(app_.remaining());
    if (!unknown.empty()) {
        const auto closest = closest_option(unknown);
        return usage_error("unknown option " + unknown + (closest ? ", did you mean " + *closest + "?" : ""), err);
    }
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError))
        return usage_error(unexpected(app_.remaining()), err);
    const CLI::Option* const twice =
        find_option(app_, [](const auto& each) { return each.count() > 1 && each.get_items_expected_max() <= 1; });
    if (twice && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch))
        return usage_error(twice->get_name() + " is given twice", err);
    return usage_error(error.what(), err);
}

int option_parser::show(const std::string& text, std::ostream& out, std::ostream& err) const {
    errno = 0;
    out << text << std::flush;
    if (out) return to_int(exit_code::ok);
    err << name_ << ": cannot write to standard output" << (errno != 0 ? ": " : "")
        << (errno != 0 ? std::strerror(errno) : "") << "\n"
        << std::flush;
    return to_int(exit_code::other);
}

int option_parser::usage_error(const std::string& what) const { return usage_error(what, std::cerr); }

int option_parser::usage_error(const std::string& what, std::ostream& err) const {
    err << name_ << ": " << sanitize(what, text_context::field, 1000) << "\nTry '" << name_
        << " --help' for more information.\n"
        << std::flush;
    return to_int(exit_code::usage);
}

std::optional<std::string> option_parser::closest_option(std::string_view unknown) const {
    if (!unknown.starts_with("--")) return std::nullopt;
    const auto wanted = unknown.substr(2);
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    for (const auto* option : app_.get_options()) {
        for (const auto& name : option->get_lnames()) {
            const bool abbreviated = wanted.size() >= 3 && std::string_view{name}.starts_with(wanted);
            const auto distance = abbreviated ? 1 : edit_distance(wanted, name);
            if (distance >= best_distance) continue;
            best_distance = distance;
            best = "--" + name;
        }
    }
    return best;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    a = a.substr(0, 64);
    b = b.substr(0, 64);
    // rows[i][j]: to make b's first j of a's first i
    std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            const std::size_t replace = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[a.size()][b.size()];
}

CLI::Validator is_whole(std::uint64_t min, std::uint64_t max) {
    return whole_number("number", min, max, fmt::format("{} to {}", min, max));
}

CLI::Validator is_port() { return whole_number("port", 0, 65535, "PORT"); }

CLI::Validator is_size() {
    return CLI::Validator{[](std::string& text) {
                              return parse_size(text) ? std::string{} : "not a size: " + text + " (try 512k or 1.5M)";
                          },
                          "SIZE"};
}

CLI::Validator is_duration() {
    return CLI::Validator{[](std::string& text) {
                              return parse_duration(text) ? std::string{}
                                                          : "not a duration: " + text + " (try 1.5s, 200ms or 5m)";
                          },
                          "TIME"};
}

}  // namespace apps
