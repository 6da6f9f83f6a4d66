// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/path.hpp>
#include <ringlet/http/percent.hpp>

#include <algorithm>
#include <vector>

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

    std::vector<std::string> segments;
    out.directory = true;  // until the last segment turns out to be a name
    while (!rest.empty()) {
        const auto slash = std::min(rest.find('/'), rest.size());
        auto segment = percent_decode(rest.substr(0, slash));
        const bool last = slash == rest.size();
        rest.remove_prefix(last ? slash : slash + 1);
        if (!segment) return answer::failure("malformed percent-encoding");
        if (segment->empty()) return answer::failure("empty path segment");
        if (segment->find('\0') != std::string::npos) return answer::failure("NUL in path");
        if (segment->find('/') != std::string::npos) return answer::failure("encoded slash in path");
        if (segment->find('\\') != std::string::npos) return answer::failure("backslash in path");
        if (*segment == ".") continue;
        if (*segment == "..") {
            if (segments.empty()) return answer::failure("path leaves the root");
            segments.pop_back();
            continue;
        }
        if (segment->size() > segment_bytes_max) return answer::failure("path segment too long");
        out.directory = !last;
        segments.push_back(std::move(*segment));
    }
    for (const auto& segment : segments) {
        out.hidden = out.hidden || segment.front() == '.';
        if (!out.path.empty()) out.path += '/';
        out.path += segment;
    }
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
