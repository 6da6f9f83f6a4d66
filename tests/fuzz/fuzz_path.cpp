// SPDX-License-Identifier: MIT
#include "fuzz.hpp"
#include <ringlet/http/path.hpp>
#include <ringlet/http/percent.hpp>

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fuzz::require;
    const auto got = ringlet::http::clean_path(fuzz::text_of(data, size));
    if (!got) return 0;
    const std::string slashed = "/" + got->path + "/";
    require(slashed.find("/../") == std::string::npos && slashed.find("/./") == std::string::npos, "no dot segment");
    require(got->path.empty() || slashed.find("//") == std::string::npos, "relative, no empty segment");
    require(got->path.find('\0') == std::string::npos && got->path.find('\\') == std::string::npos,
            "no NUL, no backslash");
    require(got->hidden == (slashed.find("/.") != std::string::npos), "hidden names are seen");
    const auto again = ringlet::http::clean_path("/" + ringlet::http::percent_encode_path(got->path));
    require(again && again->path == got->path, "encoded again it is the same path");
    const auto location = ringlet::http::slash_redirect(*got);
    require(location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\"),
            "stays on this host");
    return 0;
}
