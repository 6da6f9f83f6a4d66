// SPDX-License-Identifier: MIT
#include "xfer/options.hpp"

#include "common/numbers.hpp"
#include "common/options.hpp"
#include "xfer/protocol.hpp"
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <unistd.h>

namespace xfer {
namespace {

constexpr const char* program = "ringlet-xfer";
constexpr std::array<std::string_view, 2> commands{"serve", "get"};

constexpr const char* exit_statuses =
    "Exit status:\n"
    "    0  done                               8  the server refused, or could not send all of it\n"
    "    1  anything else; serve: cannot run  10  what came is not what was sent\n"
    "    2  wrong command line               130  interrupted by Ctrl-C; what has come is kept\n"
    "    3  file or disk; memory or          143  ended by SIGTERM\n"
    "       descriptors are short\n"
    "    4  network: names, connections, time limits, what was cut short\n"
    "    7  protocol: the other side speaks another one";

bool parse_timeout(const std::string& text, std::chrono::nanoseconds& into) {
    into = *apps::parse_duration(text);
    return into.count() > 0;
}

std::optional<int> parse_serve(int argc, char** argv, serve_options& into) {
    std::uint16_t port = into.address.port();
    std::string bind = into.address.address_text();
    std::string timeout = "30s";
    apps::option_parser parser{
        "ringlet-xfer serve",
        "Gives the files below a directory to who asks for them by name.",
        {"ringlet-xfer serve pictures                     at 127.0.0.1:7779",
         "ringlet-xfer serve pictures --bind 0.0.0.0      to everybody who can reach this machine",
         "ringlet-xfer serve pictures --plain --port 0    to who just sends a name; at a free port"},
        "Only regular files are given, none whose name begins with a dot, and links only where they stay below DIR.\n"
        "Whoever asks is not told whether a file is absent or may not be had; the log is. Ctrl-C finishes what is\n"
        "being sent, for no longer than --timeout; a second one leaves at once.\n\n"
        "Exit status: 0 after Ctrl-C or SIGTERM, 1 when it could not run, 2 for a wrong command line."};
    auto& app = parser.app();
    app.add_option("DIR", into.root, "Directory whose files are given")->required();
    app.add_option("-p,--port", port, "Port; 0 takes a free one")->transform(apps::is_port())->capture_default_str();
    app.add_option("-b,--bind", bind, "Address to listen on; loopback unless given")->capture_default_str();
    app.add_option("--timeout", timeout, "Give a client up that takes nothing for so long")
        ->check(apps::is_duration())
        ->capture_default_str();
    app.add_option("--max-connections", into.connections_max, "So many at a time; more are told to try later")
        ->type_name("N")
        ->transform(apps::is_whole(1, 1'000'000))
        ->capture_default_str();
    app.add_flag("--plain", into.plain, "A name comes in, bytes go out, and that is all: no length, no check");
    app.add_flag("--json", into.json, "The log as one JSON object a line");
    auto* const quiet = app.add_flag("-q,--quiet", into.quiet, "No log, no totals");
    app.add_flag("-v,--verbose", into.verbose, "Say on standard error what it runs on, and who connects for nothing")
        ->excludes(quiet);
    if (const auto status = parser.parse(argc, argv)) return status;

    const auto address = ringlet::net::endpoint::try_parse_address(bind, port);
    if (!address) return parser.usage_error("--bind takes a numeric address such as 0.0.0.0 or ::1, not " + bind);
    into.address = *address;
    if (!parse_timeout(timeout, into.timeout)) return parser.usage_error("--timeout takes more than 0");
    return std::nullopt;
}

// HOST, HOST:PORT, ADDRESS, [ADDRESS]:PORT.
bool parse_server(const std::string& text, get_options& into) {
    if (ringlet::net::endpoint::try_parse_address(text, 1)) {
        into.host = text;
        return true;
    }
    std::string_view rest = text;
    if (rest.starts_with('[')) {
        const std::size_t close = rest.find(']');
        if (close == rest.npos) return false;
        into.host = rest.substr(1, close - 1);
        if (!ringlet::net::endpoint::try_parse_address(into.host, 1)) return false;
        rest.remove_prefix(close + 1);
    } else {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        into.host = rest.substr(0, colon);
        rest.remove_prefix(colon);
    }
    if (into.host.empty()) return false;
    if (rest.empty()) return true;
    const auto port = rest.starts_with(':') ? ringlet::net::parse_port(rest.substr(1)) : std::nullopt;
    into.port = port.value_or(0);
    return into.port != 0;
}

std::string check_name(const get_options& how) {
    if (how.name.size() > name_bytes_max) return fmt::format("NAME: at most {} bytes", name_bytes_max);
    if (how.output.empty() && last_part(how.name).empty())
        return "NAME ends in no file's name: say with -o where it goes";
    return {};
}

std::optional<int> parse_get(int argc, char** argv, get_options& into) {
    std::string server;
    std::string timeout = "30s";
    apps::option_parser parser{
        "ringlet-xfer get",
        "Fetches a file from a ringlet-xfer serve, whole and checked, or not at all.",
        {"ringlet-xfer get 192.0.2.7 a.iso                  into this directory",
         "ringlet-xfer get 192.0.2.7:7000 a.iso -o b.iso    from another port, under a name of your own",
         "ringlet-xfer get 192.0.2.7 a.iso --resume         goes on where the last one stopped",
         "ringlet-xfer get 192.0.2.7                        asks for the name"},
        std::string{
            "A file gets its name when it is complete and has the SHA-256 that the server gives; until then it is "
            "OUT.part.\n"
            "A file that exists is not touched without --force.\n\n"} +
            exit_statuses};
    auto& app = parser.app();
    app.add_option("HOST[:PORT]", server, "Who has it; port 7779 unless given")->required();
    auto* const name = app.add_option("NAME", into.name, "Which file; asked for on a terminal");
    app.add_option("-o,--output", into.output, "Where it goes; the last part of NAME unless given")->type_name("OUT");
    auto* const resume =
        app.add_flag("--resume", into.resume, "Go on with OUT.part where it is the beginning of that file");
    app.add_flag("--force", into.force, "Replace OUT, once the new one is complete; only a regular file");
    app.add_option("--timeout", timeout, "Give up when nothing comes for so long")
        ->check(apps::is_duration())
        ->capture_default_str();
    app.add_flag("--plain", into.plain, "Send the bare name and take what comes, as the course's programs do")
        ->excludes(resume);
    app.add_flag("--json", into.json, "Events on standard output, one JSON object a line");
    auto* const quiet = app.add_flag("-q,--quiet", into.quiet, "Only errors");
    app.add_flag("-v,--verbose", into.verbose, "Say what happens on the way")->excludes(quiet);
    if (const auto status = parser.parse(argc, argv)) return status;

    if (!parse_server(server, into)) return parser.usage_error("a host, and perhaps a port: not " + server);
    if (!parse_timeout(timeout, into.timeout)) return parser.usage_error("--timeout takes more than 0");
    if (into.output == "-")
        return parser.usage_error(
            "-o -: no byte is given on before all of them are checked; ./- is a file of that name");
    if (into.output.ends_with('/')) return parser.usage_error("-o names a file, not a directory");
    if (name->count() > 0 && into.name.empty()) return parser.usage_error("NAME is empty");
    if (into.name.empty() && !ringlet::io::sys::isatty(STDIN_FILENO))
        return parser.usage_error("which file? NAME is only asked for on a terminal");
    if (into.name.empty()) return std::nullopt;
    const std::string wrong = check_name(into);
    return wrong.empty() ? std::nullopt : std::optional{parser.usage_error(wrong)};
}

std::string no_such_command(std::string_view word) {
    std::string said = fmt::format("unknown command {}", word);
    const auto* const close =
        std::ranges::min_element(commands, {}, [&](std::string_view each) { return apps::edit_distance(word, each); });
    if (apps::edit_distance(word, *close) <= 2) said += fmt::format(", did you mean {}?", *close);
    return said;
}

}  // namespace

std::string last_part(const std::string& name) {
    std::string part = name.substr(name.rfind('/') + 1);
    if (part == "." || part == ".." || part.find('\0') != part.npos) part.clear();
    return part;
}

std::optional<int> parse_options(int argc, char** argv, options& into) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (command == "serve") return parse_serve(argc - 1, argv + 1, into.emplace<serve_options>());
    if (command == "get") return parse_get(argc - 1, argv + 1, into.emplace<get_options>());
    apps::option_parser parser{
        program,
        "Files over TCP, whole and checked.",
        {"ringlet-xfer serve pictures           gives the files below a directory, at port 7779",
         "ringlet-xfer get 192.0.2.7 a.jpg      fetches one",
         "ringlet-xfer serve --help             what each command takes", "ringlet-xfer get --help"},
        exit_statuses};
    std::vector<std::string> words;
    parser.app().add_option("COMMAND", words, "serve or get");
    if (const auto status = parser.parse(argc, argv)) return status;
    return parser.usage_error(words.empty() ? "what to do? serve or get" : no_such_command(words.front()));
}

}  // namespace xfer
