// SPDX-License-Identifier: MIT
// The lessons of the course, each a program of a page: lists, runs and shows them.
// Try:  ringlet-lessons          ringlet-lessons udp          ringlet-lessons --show udp
#include "common/options.hpp"
#include "lessons/catalogue.hpp"
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace {

void list() {
    std::size_t width = 0;
    for (const auto& each : lessons::catalogue()) width = std::max(width, each.name.size());
    for (const auto& each : lessons::catalogue()) fmt::print("{:{}}  {}\n", each.name, width, each.summary);
}

const lessons::lesson* find(std::string_view name) {
    const auto& all = lessons::catalogue();
    const auto found = std::find_if(all.begin(), all.end(), [name](const auto& each) { return each.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::optional<std::string_view> text_of(std::string_view name) {
    if (const auto* found = find(name)) return found->text;
    for (const auto& each : lessons::helpers())
        if (each.name == name) return each.text;
    return std::nullopt;
}

// Also when the name was only begun: "regex".
std::string did_you_mean(std::string_view name) {
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const auto& each : lessons::catalogue()) {
        const bool begun = name.size() >= 2 && each.name.starts_with(name);
        const std::size_t distance = begun ? 0 : apps::edit_distance(name, each.name);
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = each.name;
    }
    return best.empty() ? "; --list has them all" : fmt::format(", did you mean {}?", best);
}

}  // namespace

int main(int argc, char** argv) {
    std::string name;
    bool wants_list = false;
    bool wants_text = false;
    apps::option_parser parser{
        "ringlet-lessons",
        "Small programs that each show one thing: addresses, sockets, threads, processes, generators, "
        "coroutines, regular expressions, HTTP.",
        {"ringlet-lessons                  the list, in the order in which to read them",
         "ringlet-lessons udp              runs one; it prints what it shows, and ends by itself",
         "ringlet-lessons --show udp       its text: an explanation, and a program of a page"},
        "They use 127.0.0.1 only, at ports that are free.\n\n"
        "Exit status: 0 when it has run, 1 when it could not, 2 for a wrong command line."};
    auto& app = parser.app();
    app.add_option("NAME", name, "The lesson; all are listed when there is none");
    auto* const only_list = app.add_flag("--list", wants_list, "The names, each with what it is about");
    app.add_flag("--show", wants_text, "The text in place of the run")->excludes(only_list);
    if (const auto status = parser.parse(argc, argv)) return *status;
    if (wants_list && !name.empty()) return parser.usage_error("--list takes no name");
    if (wants_text && name.empty()) return parser.usage_error("--show takes the name of a lesson");

    const auto* const lesson = find(name);
    const auto text = text_of(name);
    if (!name.empty() && !text) return parser.usage_error("there is no lesson " + name + did_you_mean(name));
    if (!name.empty() && !lesson && !wants_text)
        return parser.usage_error(name + " is no lesson; --show " + name + " has its text");
    // All of it is written at the end, where run_main knows what to say of a reader that has gone.
    static std::array<char, 1 << 16> buffer;
    if (!ringlet::io::sys::isatty(STDOUT_FILENO)) std::setvbuf(stdout, buffer.data(), _IOFBF, buffer.size());
    return ringlet::run_main(argc, argv, [&](ringlet::arguments) {
        if (name.empty())
            list();
        else if (wants_text)
            fmt::print("{}", *text);
        else
            lesson->run();
    });
}
