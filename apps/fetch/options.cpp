// SPDX-License-Identifier: MIT
#include "fetch/options.hpp"

#include "common/numbers.hpp"
#include "common/options.hpp"
#include "common/sanitize.hpp"
#include <ringlet/io/system_calls.hpp>

#include <unistd.h>

namespace fetch {
namespace {

constexpr unsigned jobs_max = 10'000;

const std::vector<std::string> examples{
    "ringlet-fetch http://example.org/a.iso http://example.org/b.iso   both at once, into this directory",
    "ringlet-fetch -P downloads -j 4 URL...                            into another, at most four at a time",
    "ringlet-fetch -o page.html http://example.org/                    under a name of your own",
    "ringlet-fetch -q -o - http://example.org/list.txt | sort          to standard output"};

constexpr const char* notes =
    "A file gets its name when it is complete; until then it is NAME.part, which is removed when the download fails.\n"
    "The name is the last part of the URL's path, made safe. A file that exists is not touched: the new one is called\n"
    "NAME.1; only -o replaces. Up to 10 redirects are followed, none from https to http.\n\n"
    "Exit status, for several URLs the lowest that is neither 0 nor 1:\n"
    "    0  all done                           5  TLS: handshake, certificate\n"
    "    1  anything else                      6  the server asks for a login (401, 407)\n"
    "    2  wrong command line                 7  protocol: malformed response, redirects\n"
    "    3  file or disk; memory or            8  the server answered with an error\n"
    "       descriptors are short\n"
    "    4  network: names, connections,     130  interrupted by Ctrl-C\n"
    "       time limits, truncated content   141  nobody reads what -o - writes\n"
    "                                        143  ended by SIGTERM";

// Empty, or what is wrong with them.
std::string read_urls(const std::vector<std::string>& words, std::vector<ringlet::http::url>& into) {
    for (const std::string& word : words) {
        auto url = ringlet::http::url::parse(word);
        if (!url) return word + ": " + std::string{url.reason()};
        if (!url->user_info().empty()) return url->to_string() + ": a login in the URL is not supported";
        into.push_back(*std::move(url));
    }
    return {};
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, options& into) {
    std::vector<std::string> words;
    std::string stall = "30s";
    apps::option_parser parser{"ringlet-fetch", "Downloads files over HTTP and HTTPS, many at once.", examples, notes};
    parser.app().add_option("URL", words, "What to download")->required();
    parser.app().add_option("-P,--dir", into.directory, "Directory for the files; made when missing");
    parser.app()
        .add_option("-j,--jobs", into.jobs, "Downloads at a time")
        ->transform(apps::is_whole(1, jobs_max))
        ->capture_default_str();
    parser.app().add_option("-o,--output", into.output, "File for the only URL, below DIR; - is standard output");
    parser.app()
        .add_option("--stall-timeout", stall, "Give up after so long without progress, e.g. 30s or 2m")
        ->check(apps::is_duration())
        ->capture_default_str();
    parser.app()
        .add_option("--cacert", into.trust.ca_file,
                    "Trust the certificate authorities in this PEM file, not the system's")
        ->type_name("FILE");
    bool insecure = false;
    parser.app().add_flag("-k,--insecure", insecure,
                          "Trust any certificate: anybody on the way can read and change all");
    parser.app().add_flag("-q,--quiet", into.quiet, "Only errors");
    parser.app().add_flag("-v,--verbose", into.verbose, "Say what happens on the way");
    if (const auto status = parser.parse(argc, argv)) return status;

    if (const auto wrong = read_urls(words, into.urls); !wrong.empty()) return parser.usage_error(wrong);
    into.trust.verify = !insecure;
    into.stall_timeout = *apps::parse_duration(stall);
    if (into.stall_timeout.count() == 0) return parser.usage_error("--stall-timeout must be more than 0");
    if (into.output.empty()) return std::nullopt;
    if (into.urls.size() > 1) return parser.usage_error("-o takes one URL only; use -P for several");
    if (into.output.ends_with('/')) return parser.usage_error("-o names a file; use -P for a directory");
    if (into.to_standard_output() && ringlet::io::sys::isatty(STDOUT_FILENO))
        return parser.usage_error("-o - does not write to a terminal; add | cat, or name a file");
    return std::nullopt;
}

}  // namespace fetch
