// SPDX-License-Identifier: MIT
#include "fuzz.hpp"
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/url.hpp>

#include <algorithm>

namespace {

using ringlet::http::url;

void check(const url& u) {
    using namespace ringlet::http::detail;
    fuzz::require(u.target().starts_with('/') && all_of(u.target(), target_char), "a target fits a request line");
    fuzz::require(!u.host().empty() && u.host().find_first_of("/@?#\\ \r\n") == std::string::npos, "a host is a host");
    fuzz::require(u.port() != 0, "a port can be connected to");
    const auto again = url::parse(u.to_string());
    fuzz::require(again.has_value() && again->same_origin(u) && again->target() == u.target(),
                  "a URL that is printed is the same URL");
}

}  // namespace

// Two URLs, a line each: the first, and what it redirects to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    const auto line = std::min(input.find('\n'), input.size());
    const auto base = url::parse(input.substr(0, line));
    if (!base) return 0;
    check(*base);
    const auto target = base->resolve(input.substr(std::min(line + 1, input.size())));
    if (target) check(*target);
    return 0;
}
