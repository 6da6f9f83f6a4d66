// SPDX-License-Identifier: MIT
#include "serve/options.hpp"

#include "common/options.hpp"

#include <cstdint>

namespace serve {

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::uint16_t port = 8080;
    std::string bind = "127.0.0.1";
    apps::option_parser parser{
        "ringlet-serve",
        "Serves the files below a directory over HTTP/1.1.",
        {"ringlet-serve                        this directory, at http://127.0.0.1:8080/",
         "ringlet-serve site --port 0          another one, at a free port",
         "ringlet-serve site --bind 0.0.0.0    to everybody who can reach this machine"},
        "Only GET and HEAD are answered. Names that begin with a dot are never served, and links only where they stay\n"
        "below ROOT. Ctrl-C finishes what is being sent; a second one leaves at once. Where nobody reads the log,\n"
        "a mebibyte of it waits; what comes after that is dropped, and counted.\n\n"
        "Exit status: 0 after Ctrl-C or SIGTERM, 1 when it could not run, 2 for a wrong command line."};
    parser.app().add_option("ROOT", into.root, "Directory to serve")->capture_default_str();
    parser.app()
        .add_option("-p,--port", port, "Port; 0 takes a free one")
        ->transform(apps::is_port())
        ->capture_default_str();
    parser.app().add_option("-b,--bind", bind, "Address to listen on; loopback unless given")->capture_default_str();
    parser.app().add_flag("-q,--quiet", into.quiet, "No access log");
    parser.app().add_flag("-v,--verbose", into.verbose, "Say on standard error what it runs on");
    if (const auto status = parser.parse(argc, argv)) return status;
    const auto address = ringlet::net::endpoint::try_parse_address(bind, port);
    if (!address) return parser.usage_error("--bind takes a numeric address such as 0.0.0.0 or ::1, not " + bind);
    into.address = *address;
    return std::nullopt;
}

}  // namespace serve
