// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/media_type.hpp>

#include <algorithm>
#include <array>

namespace ringlet::http {

namespace {

struct entry {
    std::string_view extension;
    std::string_view type;
};

// Sorted by extension (checked below). Names from the IANA registry; script and markup types carry the charset, too.
constexpr std::array table{
    entry{"7z", "application/x-7z-compressed"},
    entry{"aac", "audio/aac"},
    entry{"apng", "image/apng"},
    entry{"atom", "application/atom+xml; charset=utf-8"},
    entry{"avi", "video/x-msvideo"},
    entry{"avif", "image/avif"},
    entry{"bmp", "image/bmp"},
    entry{"bz2", "application/x-bzip2"},
    entry{"c", "text/plain; charset=utf-8"},
    entry{"cc", "text/plain; charset=utf-8"},
    entry{"cpp", "text/plain; charset=utf-8"},
    entry{"css", "text/css; charset=utf-8"},
    entry{"csv", "text/csv; charset=utf-8"},
    entry{"deb", "application/vnd.debian.binary-package"},
    entry{"doc", "application/msword"},
    entry{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    entry{"epub", "application/epub+zip"},
    entry{"flac", "audio/flac"},
    entry{"gif", "image/gif"},
    entry{"gz", "application/gzip"},
    entry{"h", "text/plain; charset=utf-8"},
    entry{"hpp", "text/plain; charset=utf-8"},
    entry{"htm", "text/html; charset=utf-8"},
    entry{"html", "text/html; charset=utf-8"},
    entry{"ico", "image/vnd.microsoft.icon"},
    entry{"ics", "text/calendar; charset=utf-8"},
    entry{"jar", "application/java-archive"},
    entry{"jpeg", "image/jpeg"},
    entry{"jpg", "image/jpeg"},
    entry{"js", "text/javascript; charset=utf-8"},
    entry{"json", "application/json"},
    entry{"jsonld", "application/ld+json"},
    entry{"jxl", "image/jxl"},
    entry{"log", "text/plain; charset=utf-8"},
    entry{"m3u8", "application/vnd.apple.mpegurl"},
    entry{"m4a", "audio/mp4"},
    entry{"md", "text/markdown; charset=utf-8"},
    entry{"mjs", "text/javascript; charset=utf-8"},
    entry{"mkv", "video/matroska"},
    entry{"mov", "video/quicktime"},
    entry{"mp3", "audio/mpeg"},
    entry{"mp4", "video/mp4"},
    entry{"mpeg", "video/mpeg"},
    entry{"odp", "application/vnd.oasis.opendocument.presentation"},
    entry{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    entry{"odt", "application/vnd.oasis.opendocument.text"},
    entry{"oga", "audio/ogg"},
    entry{"ogg", "audio/ogg"},
    entry{"ogv", "video/ogg"},
    entry{"opus", "audio/ogg"},
    entry{"otf", "font/otf"},
    entry{"pdf", "application/pdf"},
    entry{"png", "image/png"},
    entry{"ppt", "application/vnd.ms-powerpoint"},
    entry{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    entry{"py", "text/plain; charset=utf-8"},
    entry{"rar", "application/vnd.rar"},
    entry{"rs", "text/plain; charset=utf-8"},
    entry{"rss", "application/rss+xml; charset=utf-8"},
    entry{"rtf", "application/rtf"},
    entry{"sh", "text/plain; charset=utf-8"},
    entry{"svg", "image/svg+xml; charset=utf-8"},
    entry{"tar", "application/x-tar"},
    entry{"tgz", "application/gzip"},
    entry{"tif", "image/tiff"},
    entry{"tiff", "image/tiff"},
    entry{"toml", "application/toml"},
    entry{"ts", "video/mp2t"},
    entry{"ttf", "font/ttf"},
    entry{"txt", "text/plain; charset=utf-8"},
    entry{"vtt", "text/vtt; charset=utf-8"},
    entry{"wasm", "application/wasm"},
    entry{"wav", "audio/wav"},
    entry{"weba", "audio/webm"},
    entry{"webm", "video/webm"},
    entry{"webmanifest", "application/manifest+json"},
    entry{"webp", "image/webp"},
    entry{"woff", "font/woff"},
    entry{"woff2", "font/woff2"},
    entry{"xhtml", "application/xhtml+xml; charset=utf-8"},
    entry{"xls", "application/vnd.ms-excel"},
    entry{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    entry{"xml", "application/xml; charset=utf-8"},
    entry{"xz", "application/x-xz"},
    entry{"yaml", "application/yaml"},
    entry{"yml", "application/yaml"},
    entry{"zip", "application/zip"},
    entry{"zst", "application/zstd"},
};

static_assert(std::is_sorted(table.begin(), table.end(),
                             [](const entry& a, const entry& b) { return a.extension < b.extension; }),
              "media_type_for searches by halves");

constexpr std::size_t extension_bytes_max = 11;

}  // namespace

std::string_view media_type_for(std::string_view file_name) noexcept {
    constexpr std::string_view unknown = "application/octet-stream";
    if (const auto slash = file_name.rfind('/'); slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
    const auto dot = file_name.rfind('.');
    if (dot == std::string_view::npos || file_name.size() - dot - 1 > extension_bytes_max) return unknown;
    std::array<char, extension_bytes_max> lower{};
    const auto extension = file_name.substr(dot + 1);
    std::transform(extension.begin(), extension.end(), lower.begin(), detail::to_lower);
    const std::string_view wanted{lower.data(), extension.size()};
    const auto found = std::lower_bound(table.begin(), table.end(), wanted,
                                        [](const entry& e, std::string_view text) { return e.extension < text; });
    return found != table.end() && found->extension == wanted ? found->type : unknown;
}

}  // namespace ringlet::http
