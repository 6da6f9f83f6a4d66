// SPDX-License-Identifier: MIT
#include "serve/options.hpp"

#include "common/options.hpp"
#include <ringlet/http/checked.hpp>
#include <ringlet/http/message.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace serve {
namespace {

namespace http = ringlet::http;

// What the server says itself, of each answer as it is.
constexpr std::array own_fields{"Accept-Ranges",
                                "Allow",
                                "Connection",
                                "Content-Encoding",
                                "Content-Length",
                                "Content-Range",
                                "Content-Type",
                                "Date",
                                "ETag",
                                "Keep-Alive",
                                "Last-Modified",
                                "Location",
                                "Trailer",
                                "Transfer-Encoding",
                                "Upgrade",
                                "Vary",
                                "X-Content-Type-Options"};

http::checked<std::pair<std::string, std::string>> parse_field(std::string_view text) {
    using answer = http::checked<std::pair<std::string, std::string>>;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return answer::failure("it has the form 'Name: value'");
    const std::string_view name = text.substr(0, colon);
    std::string_view value = text.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    if (!http::is_valid_field_name(name)) return answer::failure("this is no field name");
    if (!http::is_valid_field_value(value)) return answer::failure("the value holds a control character");
    http::fields given;
    given.add(name, value);
    if (std::ranges::any_of(own_fields, [&](std::string_view own) { return given.contains(own); }))
        return answer::failure("the server sets this field itself");
    return std::pair{std::string{name}, std::string{value}};
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::uint16_t port = 8080;
    std::string bind = "127.0.0.1";
    apps::option_parser parser{
        "ringlet-serve",
        "Serves the files below a directory over HTTP/1.1, or HTTPS.",
        {"ringlet-serve                        this directory, at http://127.0.0.1:8080/",
         "ringlet-serve site --port 0          another one, at a free port",
         "ringlet-serve site --bind 0.0.0.0    to everybody who can reach this machine",
         "ringlet-serve site --tls-cert site.pem --tls-key site.key --workers 4"},
        "Only GET, HEAD and OPTIONS are answered. Beside FILE, FILE.br and FILE.gz are sent to who takes them. Names "
        "that begin with a dot are never served, and links only where they stay\n"
        "below ROOT. Ctrl-C finishes what is being sent; a second one leaves at once. Where nobody reads the log,\n"
        "a mebibyte of it waits; what comes after that is dropped, and counted.\n\n"
        "Exit status: 0 after Ctrl-C or SIGTERM, 1 when it could not run, 2 for a wrong command line."};
    parser.app().add_option("ROOT", into.site.root, "Directory to serve")->capture_default_str();
    parser.app()
        .add_option("-p,--port", port, "Port; 0 takes a free one")
        ->transform(apps::is_port())
        ->capture_default_str();
    parser.app().add_option("-b,--bind", bind, "Address to listen on; loopback unless given")->capture_default_str();
    std::string index = into.site.index;
    bool no_listing = false;
    std::vector<std::string> fields;
    parser.app()
        .add_option("--index", index, "File that stands for its directory")
        ->type_name("NAME")
        ->capture_default_str();
    parser.app().add_flag("--no-listing", no_listing, "A directory without that file is not found");
    parser.app()
        .add_option("--header", fields, "Adds 'Name: value' to every answer; may be given several times")
        ->type_name("FIELD")
        ->allow_extra_args(false);
    parser.app()
        .add_option("--max-connections", into.connections_max, "So many at a time; more wait to be accepted")
        ->type_name("N")
        ->transform(apps::is_whole(1, 1'000'000))
        ->capture_default_str();
    parser.app()
        .add_option("--max-per-address", into.per_address_max, "So many from one address, more are closed; 0: no limit")
        ->type_name("N")
        ->transform(apps::is_whole(0, 1'000'000))
        ->capture_default_str();
    parser.app()
        .add_option("--workers", into.workers, "So many processes share the port, and the connections")
        ->type_name("N")
        ->transform(apps::is_whole(1, 1024))
        ->capture_default_str();
    parser.app()
        .add_option("--tls-cert", into.tls_cert,
                    "HTTPS, with the certificate in this PEM file and those that issued it after it")
        ->type_name("FILE");
    parser.app().add_option("--tls-key", into.tls_key, "Its private key, in PEM form")->type_name("FILE");
    bool json = false;
    parser.app().add_flag("--json", json, "The access log as one JSON object a line");
    parser.app().add_flag("-q,--quiet", into.quiet, "No access log, no totals");
    parser.app().add_flag("-v,--verbose", into.verbose, "Say on standard error what it runs on");
    if (const auto status = parser.parse(argc, argv)) return status;
    const auto address = ringlet::net::endpoint::try_parse_address(bind, port);
    if (!address) return parser.usage_error("--bind takes a numeric address such as 0.0.0.0 or ::1, not " + bind);
    into.address = *address;
    if (index.empty() || index.front() == '.' || index.find('/') != std::string::npos)
        return parser.usage_error("--index takes a file's name, without a slash and no dotfile");
    if (into.tls_cert.empty() != into.tls_key.empty())
        return parser.usage_error("--tls-cert and --tls-key go together: a certificate, and its key");
    if (json) into.log = log_format::json;
    into.site.index = index;
    into.site.listing = !no_listing;
    for (const std::string& text : fields) {
        const auto field = parse_field(text);
        if (!field) return parser.usage_error("--header '" + text + "': " + std::string{field.reason()});
        into.site.fields.add(field->first, field->second);
    }
    return std::nullopt;
}

}  // namespace serve
