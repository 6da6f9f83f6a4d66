// SPDX-License-Identifier: MIT
#include "head_target.hpp"
#include <ringlet/http/negotiation.hpp>

#include <cctype>
#include <string>

namespace {

using fuzz::require;
using ringlet::http::accepted_quality;
using ringlet::http::request_head;

// The same list in other clothes: capitals, and room and empty elements round its commas.
request_head restyled(const request_head& request) {
    request_head other;
    for (const auto& field : request.fields) {
        std::string value = ", ";
        for (const char c : field.value) {
            if (c == ',')
                value += " ,\t, ";
            else
                value += c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
        }
        other.fields.add(field.name, value);
    }
    return other;
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return out;
}

// Whether the name may be in one of the lists.
bool is_said(const request_head& request, std::string_view name) {
    for (const auto& field : request.fields)
        if (lower(field.name) == "accept-encoding" && lower(field.value).find(name) != std::string::npos) return true;
    return false;
}

void check(const request_head& request, std::string_view coding) {
    const unsigned quality = accepted_quality(request, coding);
    require(quality <= 1000, "at most 1000");
    require(accepted_quality(restyled(request), coding) == quality, "capitals, spaces and empty elements do not count");
    require(accepted_quality(fuzz::with_one_line(request, "Accept-Encoding"), coding) == quality,
            "the lines of a list are one list");
    if (is_said(request, coding) || is_said(request, "*")) return;
    require(quality == (coding == "identity" ? 1U : 0U), "what is not spoken of is not wanted");
}

// A coding that is named last, with a weight.
void check_named(const request_head& request) {
    for (const auto& [weight, quality] :
         {std::pair{"", 1000U}, {";q=0", 0U}, {" ; q=0.25", 250U}, {";q=1.000", 1000U}}) {
        request_head named = request;
        named.fields.add("accept-encoding", std::string{"zstd"} + weight);
        require(accepted_quality(named, "zstd") == quality, "a name goes before the star, the last before the first");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::told_head told{fuzz::text_of(data, size)};
    for (const char* coding : {"gzip", "br", "identity"}) check(told.request, coding);
    check_named(told.request);
    return 0;
}
