// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/path.hpp>
#include <ringlet/http/percent.hpp>

#include <algorithm>

namespace ringlet::http {

namespace {

constexpr std::size_t segment_bytes_max = 255;  // NAME_MAX
constexpr std::size_t path_bytes_max = 4095;    // PATH_MAX without the NUL

using answer = checked<clean_target>;

// Leaves "/path?query" of an absolute-form; false when it is no http URL.
bool drop_authority(std::string_view& target) noexcept {
    const auto colon = target.find("://");
    if (colon == std::string_view::npos) return false;
    const auto scheme = target.substr(0, colon);
    if (!detail::equal_ignoring_case(scheme, "http") && !detail::equal_ignoring_case(scheme, "https")) return false;
    target.remove_prefix(colon + 3);
    const auto end = target.find_first_of("/?");
    if (target.empty() || end == 0) return false;  // no host
    target.remove_prefix(std::min(end, target.size()));
    return true;
}

}  // namespace

checked<clean_target> clean_path(std::string_view target) {
    if (!target.starts_with('/') && !drop_authority(target)) return answer::failure("not a path");
    clean_target out;
    const auto question = std::min(target.find('?'), target.size());
    if (question != target.size()) out.query = target.substr(question + 1);
    auto rest = target.substr(0, question);
    if (!rest.empty()) rest.remove_prefix(1);

    out.directory = true;  // until the last segment turns out to be a name
    bool dotted = false;
    while (!rest.empty()) {
        const auto slash = std::min(rest.find('/'), rest.size());
        const std::string_view raw = rest.substr(0, slash);
        const bool last = slash == rest.size();
        rest.remove_prefix(last ? slash : slash + 1);
        const std::size_t before = out.path.size();
        if (before > 0) out.path += '/';
        const std::size_t begin = out.path.size();
        if (detail::all_of(raw, detail::unreserved)) {
            out.path += raw;
        } else {
            if (!append_percent_decoded(out.path, raw)) return answer::failure("malformed percent-encoding");
            if (raw.empty()) return answer::failure("empty path segment");
            for (const char c : std::string_view{out.path}.substr(begin)) {
                if (c == '\0') return answer::failure("NUL in path");
                if (c == '/') return answer::failure("encoded slash in path");
                if (c == '\\') return answer::failure("backslash in path");
            }
        }
        const std::string_view segment = std::string_view{out.path}.substr(begin);
        if (segment.front() == '.') {
            dotted = true;
            if (segment == ".") {
                out.path.resize(before);
                continue;
            }
            if (segment == "..") {
                if (before == 0) return answer::failure("path leaves the root");
                out.path.resize(before);
                const std::size_t parent = out.path.rfind('/');
                out.path.resize(parent == std::string::npos ? 0 : parent);
                continue;
            }
        }
        if (segment.size() > segment_bytes_max) return answer::failure("path segment too long");
        out.directory = !last;
    }
    out.hidden = dotted && (out.path.starts_with('.') || out.path.find("/.") != std::string::npos);
    if (out.path.size() > path_bytes_max) return answer::failure("path too long");
    return out;
}

std::string slash_redirect(const clean_target& target) {
    std::string location = "/" + percent_encode_path(target.path);
    if (!target.path.empty()) location += '/';
    if (!target.query.empty()) location += "?" + target.query;
    return location;
}

}  // namespace ringlet::http
