// SPDX-License-Identifier: MIT
#include "fetch/options.hpp"

#include "common/numbers.hpp"
#include "common/options.hpp"
#include "fetch/names.hpp"
#include <ringlet/http/message.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace fetch {
namespace {

namespace http = ringlet::http;
namespace sys = ringlet::io::sys;

constexpr unsigned jobs_max = 10'000;
constexpr unsigned segments_max = 64;
constexpr unsigned tries_max = 1'000;

const std::vector<std::string> examples{
    "ringlet-fetch https://example.org/a.iso https://example.org/b.iso   both at once, into this directory",
    "ringlet-fetch -P downloads -j 4 -i list.txt                        what a file lists, four at a time",
    "ringlet-fetch -s 4 --checksum sha256:9f86... https://...           one file in four parts, checked",
    "ringlet-fetch -o page.html http://example.org/                     under a name of your own",
    "ringlet-fetch -q -o - http://example.org/list.txt | sort           to standard output"};

constexpr const char* notes =
    "A file gets its name when it is complete; until then it is NAME.part. When a download is cut short, NAME.part "
    "and\n"
    "NAME.part.state stay where the server's answers allow to go on: the same command again does.\n"
    "The name is the last part of the URL's path, made safe. A file that exists is not touched: one that is the same\n"
    "version is not fetched again, another one is called NAME.1; -o and --overwrite replace.\n"
    "A list has one item a line: [sha256:HEX] URL [NAME]; a line that begins with # is a comment.\n"
    "Up to 10 redirects are followed, none from https to http. What may pass is tried again: broken connections, time\n"
    "limits, truncated content, and 408, 429, 500, 502, 503, 504, 522, 524.\n"
    "Sizes are in bytes or with k, M, G; times in seconds or with ms, s, m, h.\n\n"
    "Exit status, for several URLs the lowest that is neither 0 nor 1:\n"
    "    0  all done, or there already         7  protocol: malformed response, redirects\n"
    "    1  anything else, --max-size          8  the server answered with an error\n"
    "    2  wrong command line or list        10  the content is not what --checksum says\n"
    "    3  file or disk; memory or          130  interrupted by Ctrl-C\n"
    "       descriptors are short            141  nobody reads what -o - writes\n"
    "    4  network: names, connections,     143  ended by SIGTERM\n"
    "       time limits, truncated content\n"
    "    5  TLS: handshake, certificate\n"
    "    6  the server asks for a login (401, 407)";

// What the program says itself, and must.
constexpr std::array<std::string_view, 8> own_fields{"Host",   "Range",          "If-Range",   "Accept-Encoding",
                                                     "Expect", "Content-Length", "Connection", "Transfer-Encoding"};

// The words of the command line, before they are checked against each other.
struct words {
    std::vector<std::string> urls;
    std::string list;
    std::string checksum;
    std::vector<std::string> headers;
    std::string retry_wait = "1s";
    std::string stall_timeout = "30s";
    std::string max_time;
    std::string rate;
    std::string rate_each;
    std::string sums;
    std::string bytes_max;
    bool insecure = false;
    bool overwrite = false;
    bool no_clobber = false;
};

void add_options(CLI::App& app, options& into, words& said) {
    app.add_option("URL", said.urls, "What to download");
    app.add_option("-i,--input-file", said.list, "Read a list of what to download; - is standard input")
        ->type_name("FILE");
    app.add_option("-P,--dir", into.directory, "Directory for the files; made when missing");
    app.add_option("-o,--output", into.output, "File for the only URL, below DIR; - is standard output");
    app.add_flag("-J,--content-disposition", into.name_from_server, "Take the name that the server gives");
    auto* const overwrite = app.add_flag("--overwrite", said.overwrite, "Replace files that exist");
    app.add_flag("--no-clobber", said.no_clobber, "Skip what has a file already, whatever is in it")
        ->excludes(overwrite);
    app.add_option("-j,--jobs", into.jobs, "Downloads at a time")
        ->transform(apps::is_whole(1, jobs_max))
        ->capture_default_str();
    app.add_option("--per-host", into.per_host,
                   "Connections at a time to one host; by default as many as the larger of -j and -s")
        ->transform(apps::is_whole(1, jobs_max));
    app.add_option("-s,--segments", into.segments, "Parts of one file at a time, of 1 MiB or more")
        ->transform(apps::is_whole(1, segments_max))
        ->capture_default_str();
    app.add_option("--tries", into.tries, "How often to try each download")
        ->transform(apps::is_whole(1, tries_max))
        ->capture_default_str();
    app.add_option("--retry-wait", said.retry_wait, "Wait so long before the second try; doubles, up to 10s")
        ->check(apps::is_duration())
        ->capture_default_str();
    app.add_option("--stall-timeout", said.stall_timeout, "Give a try up after so long without progress")
        ->check(apps::is_duration())
        ->capture_default_str();
    app.add_option("--max-time", said.max_time, "Give a download up after so long in all")->check(apps::is_duration());
    app.add_option("--limit-rate", said.rate, "Bytes a second, all downloads together")->check(apps::is_size());
    app.add_option("--limit-rate-per", said.rate_each, "Bytes a second, for each download")->check(apps::is_size());
    app.add_option("--max-size", said.bytes_max, "Refuse files that are larger")->check(apps::is_size());
    app.add_option("--checksum", said.checksum, "What the only URL must give: sha256:HEX, or sha512, sha1, md5");
    app.add_option("--checksum-file", said.sums,
                   "Take the checksums of all from a file such as SHA256SUMS, by their names")
        ->type_name("FILE");
    app.add_option("--header", said.headers, "Send this field, too: 'Name: value'; repeatable")
        ->allow_extra_args(false);  // else it takes the URLs behind it, too
    app.add_option("--cacert", into.trust.ca_file,
                   "Trust the certificate authorities in this PEM file, not the system's")
        ->type_name("FILE");
    app.add_flag("-k,--insecure", said.insecure, "Trust any certificate: anybody on the way can read and change all");
    app.add_flag("--trust-length", into.trust_length,
                 "Go on with a file of the known length where the server gives no validator");
    app.add_flag("--fsync", into.durable, "A file that has its name survives a power failure");
    app.add_flag("--json", into.json, "Events on standard output, one JSON object a line");
    app.add_flag("-q,--quiet", into.quiet, "Only errors");
    app.add_flag("-v,--verbose", into.verbose, "Say what happens on the way");
}

// All of a file or of standard input. Empty, or what went wrong.
std::string read_all(const std::string& name, std::string& into) {
    const ringlet::io::owned_fd file{name == "-" ? sys::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                                 : sys::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
    std::array<char, 16 * 1024> piece{};
    ssize_t got = file ? 1 : -1;
    while (got > 0) {
        got = sys::read(file.get(), piece.data(), piece.size());
        if (got > 0) into.append(piece.data(), static_cast<std::size_t>(got));
        if (got < 0 && errno == EINTR) got = 1;
    }
    if (got == 0) return {};
    const std::error_code error{errno, std::generic_category()};
    return fmt::format("cannot read {}: {}", name == "-" ? "standard input" : name, error.message());
}

std::string take_checksums(const words& said, options& into) {
    if (!said.checksum.empty()) {
        if (into.items.size() > 1) return "--checksum is for one URL; in a list (-i) each line has its own";
        const auto checksum = apps::parse_digest(said.checksum);
        if (!checksum)
            return "--checksum: sha256:, sha512:, sha1: or md5: and all hexadecimal digits, not " + said.checksum;
        into.items.front().checksum = std::make_shared<const apps::wanted_digest>(*checksum);
    }
    if (said.sums.empty()) return {};
    std::string text;
    if (std::string wrong = read_all(said.sums, text); !wrong.empty()) return wrong;
    const std::string wrong = read_sums(text, into.items);
    return wrong.empty() ? wrong : fmt::format("{}, {}", said.sums, wrong);
}

std::string take_items(const words& said, options& into) {
    for (const std::string& word : said.urls) {
        if (std::string wrong = check_url(word); !wrong.empty()) return wrong;
        into.items.push_back(item{word, {}, {}});
    }
    if (!said.list.empty()) {
        std::string text;
        if (std::string wrong = read_all(said.list, text); !wrong.empty()) return wrong;
        if (const std::string wrong = read_list(text, into.items); !wrong.empty())
            return fmt::format("{}, {}", said.list == "-" ? "standard input" : said.list, wrong);
    }
    if (into.items.empty())
        return said.list.empty() ? "what to download? Give a URL, or a list with -i" : "the list is empty";
    return take_checksums(said, into);
}

std::string take_headers(const words& said, options& into) {
    for (const std::string& line : said.headers) {
        const std::size_t colon = line.find(':');
        if (colon == line.npos) return "--header: 'Name: value', not " + line;
        const std::string name = line.substr(0, colon);
        std::string_view value = std::string_view{line}.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        value = value.substr(0, value.find_last_not_of(" \t") + 1);
        if (!http::is_valid_field_name(name) || !http::is_valid_field_value(value))
            return "--header: not allowed in HTTP: " + line;
        http::fields own;
        for (const std::string_view field : own_fields) own.add(field, "");
        if (own.contains(name)) return fmt::format("--header: {} is for the program to say", name);
        into.headers.emplace_back(name, value);
    }
    return {};
}

std::string take_limits(const words& said, options& into) {
    into.trust.verify = !said.insecure;
    if (said.overwrite) into.existing = existing_file::replaced;
    if (said.no_clobber) into.existing = existing_file::wanted;
    into.retry_wait = *apps::parse_duration(said.retry_wait);
    into.stall_timeout = *apps::parse_duration(said.stall_timeout);
    if (into.stall_timeout.count() == 0) return "--stall-timeout must be more than 0";
    if (!said.max_time.empty()) into.max_time = *apps::parse_duration(said.max_time);
    if (into.max_time && into.max_time->count() == 0) return "--max-time must be more than 0";
    if (!said.rate.empty()) into.rate = *apps::parse_size(said.rate);
    if (!said.rate.empty() && into.rate == 0) return "--limit-rate must be more than 0";
    if (!said.rate_each.empty()) into.rate_each = *apps::parse_size(said.rate_each);
    if (!said.rate_each.empty() && into.rate_each == 0) return "--limit-rate-per must be more than 0";
    if (!said.bytes_max.empty()) into.bytes_max = *apps::parse_size(said.bytes_max);
    return {};
}

std::string check_output(const options& how) {
    if (how.json && how.to_standard_output()) return "--json and -o - both write to standard output";
    if ((how.json || how.to_standard_output()) && sys::fcntl(STDOUT_FILENO, F_GETFD) < 0)
        return "standard output is closed, and that is where it all goes";
    if (how.output.empty()) return {};
    if (how.items.size() > 1) return "-o takes one URL only; use -P for several";
    if (how.output.ends_with('/')) return "-o names a file; use -P for a directory";
    if (how.to_standard_output() && sys::isatty(STDOUT_FILENO))
        return "-o - does not write to a terminal; add | cat, or name a file";
    return {};
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, options& into) {
    words said;
    apps::option_parser parser{"ringlet-fetch", "Downloads files over HTTP and HTTPS, many at once.", examples, notes};
    add_options(parser.app(), into, said);
    if (const auto status = parser.parse(argc, argv)) return status;
    for (const auto check : {&take_limits, &take_headers, &take_items})
        if (const std::string wrong = check(said, into); !wrong.empty()) return parser.usage_error(wrong);
    if (const std::string wrong = check_output(into); !wrong.empty()) return parser.usage_error(wrong);
    return std::nullopt;
}

}  // namespace fetch
