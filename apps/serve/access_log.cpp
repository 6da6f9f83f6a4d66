// SPDX-License-Identifier: MIT
#include "serve/access_log.hpp"

#include "common/json.hpp"
#include "common/sanitize.hpp"
#include <ringlet/io/system_calls.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <string_view>

namespace serve {
namespace {

namespace http = ringlet::http;

constexpr std::size_t field_cells_max = 2048;

std::string logged(std::string_view text) { return apps::sanitize(text, apps::text_context::log, field_cells_max); }

std::string request_line(const logged_answer& what) {
    const http::request_head& request = what.request;
    if (!what.refused) {
        const int minor = request.version == http::version::http_1_0 ? 0 : 1;
        return fmt::format("{} {} HTTP/1.{}", logged(request.method_text), logged(request.target), minor);
    }
    std::string line = request.method_text.empty() ? "-" : logged(request.method_text);
    if (!request.target.empty()) line += " " + logged(request.target);
    return line;
}

std::string combined_line(const logged_answer& what) {
    const http::fields& sent = what.request.fields;
    return fmt::format("{} - - [{:%d/%b/%Y:%H:%M:%S +0000}] \"{}\" {} {} \"{}\" \"{}\"", what.peer.get().address_text(),
                       fmt::gmtime(ringlet::io::sys::time()), request_line(what),
                       what.status ? fmt::to_string(http::to_number(*what.status)) : "-", what.body_bytes,
                       logged(sent.get("Referer").value_or("-")), logged(sent.get("User-Agent").value_or("-")));
}

std::string json_or_null(std::optional<std::string_view> text) {
    return text ? apps::json_string(text->substr(0, 4 * field_cells_max)) : "null";
}

std::optional<std::string_view> unless_empty(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

std::string json_line(const logged_answer& what) {
    const http::request_head& request = what.request;
    return fmt::format(
        R"({{"time":"{:%Y-%m-%dT%H:%M:%SZ}","peer":"{}","method":{},"target":{},"version":{},"status":{},"bytes":{},"seconds":{:.6f},"referer":{},"user_agent":{}}})",
        fmt::gmtime(ringlet::io::sys::time()), what.peer.get().address_text(),
        json_or_null(unless_empty(request.method_text)), json_or_null(unless_empty(request.target)),
        what.refused                                 ? "null"
        : request.version == http::version::http_1_0 ? R"("1.0")"
                                                     : R"("1.1")",
        what.status ? fmt::to_string(http::to_number(*what.status)) : "null", what.body_bytes,
        std::chrono::duration<double>(what.took).count(), json_or_null(request.fields.get("Referer")),
        json_or_null(request.fields.get("User-Agent")));
}

}  // namespace

std::string log_line(const logged_answer& what, log_format format) {
    return format == log_format::json ? json_line(what) : combined_line(what);
}

}  // namespace serve
