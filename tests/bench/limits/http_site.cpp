// SPDX-License-Identifier: MIT
#include "limits/http_site.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <strings.h>

namespace bench {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Looks at a field line, without its line end.
void scan_field(std::string_view line, http_request& into) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        into.bad = true;
        return;
    }
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    if (equal_ignoring_case(name, "Connection")) into.closes = into.closes || equal_ignoring_case(value, "close");
    if (equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding")) into.bad = true;
}

}  // namespace

http_site::http_site(const std::string& directory, std::uint64_t body_bytes_max) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{directory, error}) {
        if (!entry.is_regular_file()) continue;
        page one{.bytes = entry.file_size()};
        if (one.bytes > body_bytes_max) {
            one.file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
            if (one.file < 0) error = {errno, std::generic_category()};
        } else {
            std::ifstream in{entry.path(), std::ios::binary};
            one.body.assign(std::istreambuf_iterator<char>{in}, {});
        }
        one.head = fmt::format(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nX-Content-Type-Options: nosniff\r\n"
            "Accept-Ranges: bytes\r\nETag: \"{:x}-18ab5c0d2e9f3a71\"\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: {}\r\n",
            one.bytes, one.bytes);
        pages_.emplace("/" + entry.path().filename().string(), std::move(one));
    }
    if (!error) return;
    fmt::print(stderr, "bench-limit-http: {}: {}\n", directory, error.message());
    std::exit(2);
}

http_request scan_request(std::string_view input) {
    http_request found;
    const std::size_t end = input.find("\r\n\r\n");
    if (end == std::string_view::npos) return found;
    found.bytes = end + 4;
    std::string_view head = input.substr(0, end + 2);
    std::size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const std::size_t first = line.find(' ');
    const std::size_t second = line.rfind(' ');
    if (first == std::string_view::npos || second <= first) {
        found.bad = true;
        return found;
    }
    const std::string_view method = line.substr(0, first);
    found.path = line.substr(first + 1, second - first - 1);
    found.head_only = method == "HEAD";
    found.bad = (method != "GET" && !found.head_only) || !line.substr(second + 1).starts_with("HTTP/1.");
    found.closes = line.ends_with("1.0");
    for (head.remove_prefix(line_end + 2); !head.empty(); head.remove_prefix(line_end + 2)) {
        line_end = head.find("\r\n");
        scan_field(head.substr(0, line_end), found);
    }
    return found;
}

std::string_view date_line::text() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != second_) {
        second_ = now.tv_sec;
        tm parts{};
        ::gmtime_r(&now.tv_sec, &parts);
        std::array<char, 64> made;
        std::strftime(made.data(), made.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        std::memcpy(text_.data(), made.data(), text_.size());
    }
    return {text_.data(), text_.size()};
}

}  // namespace bench
