// SPDX-License-Identifier: MIT
#include "serve/listing.hpp"

#include "common/confined_open.hpp"
#include "common/html.hpp"
#include "common/numbers.hpp"
#include "common/sanitize.hpp"
#include <ringlet/http/percent.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>

namespace serve {
namespace {

using ringlet::fs::directory_entry;
using ringlet::fs::kind;

// What stands in the page for a name from the disk: no controls, no reordering, valid UTF-8.
std::string shown(std::string_view name) { return apps::escape_html(apps::sanitize(name, apps::text_context::text)); }

// Every request for these is refused (http::clean_path, site::answer).
bool is_refused(std::string_view name) noexcept {
    return name.starts_with('.') || name.find('\\') != std::string::npos;
}

// A file or directory that would be opened, nothing else.
std::optional<struct stat> stat_of(int root_fd, int directory_fd, std::string_view path, const directory_entry& entry) {
    struct stat info{};
    if (entry.what == kind::regular || entry.what == kind::directory) {
        if (ringlet::io::sys::fstatat(directory_fd, entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return info;
        return std::nullopt;  // gone meanwhile
    }
    if (entry.what == kind::other) return std::nullopt;
    const std::string full = path.empty() ? entry.name : fmt::format("{}/{}", path, entry.name);
    const apps::opened found = apps::open_confined(root_fd, full, true);
    if (!found.fd) return std::nullopt;
    return found.info;
}

constexpr std::string_view style =
    ":root{color-scheme:light dark;background:Canvas;--line:#8884;--dim:#666}"
    "@media(prefers-color-scheme:dark){:root{--dim:#aaa}}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:56rem;margin:1.5rem auto;padding:0 1rem}"
    "h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}"
    "h1 a{display:inline-block;min-width:1.5rem;text-decoration:none}"
    "table{border-collapse:collapse;width:100%}"
    "th{font-weight:400;font-size:.85rem;color:var(--dim);text-align:left}"
    "th,td{padding:.35rem .5rem;border-bottom:1px solid var(--line);vertical-align:baseline}"
    "td:first-child,th:first-child{padding-left:0;width:100%}"
    "td:first-child{overflow-wrap:anywhere}td:first-child a{display:block;text-decoration:none}"
    "a:hover,a:focus-visible{text-decoration:underline!important}"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".t{white-space:nowrap;color:var(--dim);font-variant-numeric:tabular-nums}"
    ".d a{font-weight:600}p{color:var(--dim);font-size:.85rem}"
    // On a phone a row is two lines, the time and the size under the name, and all of it is the link.
    "@media(max-width:34rem){h1 a{padding-block:.5rem}"
    "tr{display:grid;grid-template-columns:1fr auto;align-content:center;min-height:2rem;padding-block:.4rem;"
    "position:relative;border-bottom:1px solid var(--line)}"
    "th,td{border:0;padding:0}td:first-child,th:first-child{grid-column:1/3}"
    ".n,.t{grid-row:2;font-size:.85rem;color:var(--dim)}.t{grid-column:1}"
    "td:first-child a:after{content:\"\";position:absolute;inset:0}}";

// "/docs/img/" with a link to each directory above.
std::string trail(std::string_view path) {
    const auto depth = path.empty() ? 0 : std::ranges::count(path, '/') + 1;
    std::string out;
    const auto add = [&](std::string_view name, std::ptrdiff_t up) {
        std::string target = up == 0 ? "./" : "";
        for (; up > 0; --up) target += "../";
        out += fmt::format("<a href=\"{}\">{}/</a>", target, shown(name));
    };
    add("", depth);
    for (auto up = depth - 1; up >= 0; --up) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        add(path.substr(0, slash), up);
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return out;
}

std::string row(const listed& entry) {
    const std::string_view slash = entry.is_directory ? "/" : "";
    // "./": a name with a colon is no scheme.
    return fmt::format(
        "<tr{}><td><a href=\"./{}{}\">{}{}</a></td><td class=\"n\">{}</td><td class=\"t\">{:%Y-%m-%d "
        "%H:%M}</td></tr>\n",
        entry.is_directory ? " class=\"d\"" : "", ringlet::http::percent_encode(entry.name), slash, shown(entry.name),
        slash, entry.is_directory ? std::string{} : apps::format_size(entry.bytes), entry.modified);
}

std::string count_of(std::size_t number, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

}  // namespace

std::vector<listed> look_at(int root_fd, int directory_fd, std::string_view path,
                            const std::vector<directory_entry>& entries) {
    std::vector<listed> out;
    for (const directory_entry& entry : entries) {
        if (is_refused(entry.name)) continue;
        const auto info = stat_of(root_fd, directory_fd, path, entry);
        if (!info) continue;
        out.push_back({.name = entry.name,
                       .is_directory = S_ISDIR(info->st_mode),
                       .bytes = static_cast<std::uint64_t>(info->st_size),
                       .modified = std::chrono::sys_seconds{std::chrono::seconds{info->st_mtim.tv_sec}}});
    }
    std::ranges::sort(out, {}, [](const listed& e) { return std::tuple{!e.is_directory, std::string_view{e.name}}; });
    return out;
}

std::string listing_page(std::string_view path, const std::vector<listed>& entries) {
    std::string page = fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>/{}</title><style>{}</style></head>\n<body><main><h1>{}</h1>\n"
        "<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"n\">Size</th>"
        "<th scope=\"col\" class=\"t\">Modified (UTC)</th></tr></thead><tbody>\n",
        shown(path), style, trail(path));
    if (!path.empty()) page += "<tr class=\"d\"><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
    std::size_t directories = 0;
    for (const listed& entry : entries) {
        page += row(entry);
        directories += entry.is_directory ? 1 : 0;
    }
    const std::size_t files = entries.size() - directories;
    return page + fmt::format("</tbody></table>\n<p>{}, {}</p></main></body></html>\n",
                              count_of(directories, "directory", "directories"), count_of(files, "file", "files"));
}

}  // namespace serve
