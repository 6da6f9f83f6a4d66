// SPDX-License-Identifier: MIT
#include "serve/listing.hpp"

#include "common/confined_open.hpp"
#include "common/sanitize.hpp"
#include <ringlet/http/percent.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace serve {
namespace {

// For text and for attribute values in double quotes.
std::string html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

// What stands in the page for a name from the disk: no controls, no reordering, valid UTF-8.
std::string shown(std::string_view name) { return html(apps::sanitize(name, apps::text_context::text)); }

// Not for what every request is refused: dotfiles, special files, and names with a backslash (http::clean_path).
bool is_served(const ringlet::fs::directory_entry& entry) noexcept {
    return !entry.name.starts_with('.') && entry.what != ringlet::fs::kind::other &&
           entry.name.find('\\') == std::string::npos;
}

constexpr std::string_view style =
    ":root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 "
    "1rem}"
    "h1{font-size:1.2rem;overflow-wrap:anywhere}ul{list-style:none;padding:0}li{overflow-wrap:anywhere}"
    "a{text-decoration:none;display:block;padding:.2rem 0}a:hover{text-decoration:underline}";

}  // namespace

void look_behind_links(int root_fd, const std::string& path, std::vector<ringlet::fs::directory_entry>& entries) {
    using ringlet::fs::kind;
    for (auto& entry : entries) {
        if ((entry.what != kind::symlink && entry.what != kind::unknown) || !is_served(entry)) continue;
        const std::string full = path.empty() ? entry.name : path + "/" + entry.name;
        const apps::opened found = apps::open_confined(root_fd, full, true);
        if (found.outcome == apps::open_outcome::directory) entry.what = kind::directory;
        if (found.outcome == apps::open_outcome::file) entry.what = kind::regular;
        if (found.outcome == apps::open_outcome::missing || found.outcome == apps::open_outcome::denied)
            entry.what = kind::other;
    }
}

std::string listing_page(std::string_view path, const std::vector<ringlet::fs::directory_entry>& entries) {
    using ringlet::fs::directory_entry;
    using ringlet::fs::kind;
    std::vector<const directory_entry*> sorted;
    for (const auto& entry : entries)
        if (is_served(entry)) sorted.push_back(&entry);
    std::ranges::sort(sorted, {}, [](const directory_entry* e) {
        return std::tuple{e->what != kind::directory, std::string_view{e->name}};
    });

    const std::string title = "/" + shown(path);
    std::string page = fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>{0}</title><style>{1}</style></head>\n<body><h1>{0}</h1><ul>\n",
        title, style);
    if (!path.empty()) page += "<li><a href=\"../\">../</a></li>\n";
    for (const directory_entry* entry : sorted) {
        const std::string_view slash = entry->what == kind::directory ? "/" : "";
        // "./": a name with a colon is no scheme.
        page += fmt::format("<li><a href=\"./{0}{2}\">{1}{2}</a></li>\n", ringlet::http::percent_encode(entry->name),
                            shown(entry->name), slash);
    }
    return page + "</ul></body></html>\n";
}

}  // namespace serve
