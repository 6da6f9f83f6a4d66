// SPDX-License-Identifier: MIT
#include "serve/access_log.hpp"

#include "common/sanitize.hpp"
#include <ringlet/io/system_calls.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <string_view>

namespace serve {
namespace {

namespace sys = ringlet::io::sys;

constexpr std::size_t field_cells_max = 2048;

std::string logged(std::string_view text) { return apps::sanitize(text, apps::text_context::log, field_cells_max); }

std::string line_of(const ringlet::net::endpoint& peer, std::string_view request_line,
                    const ringlet::http::fields& sent, std::optional<ringlet::http::status> status,
                    std::uint64_t body_bytes) {
    return fmt::format("{} - - [{:%d/%b/%Y:%H:%M:%S +0000}] \"{}\" {} {} \"{}\" \"{}\"", peer.address_text(),
                       fmt::gmtime(sys::time()), request_line,
                       status ? fmt::to_string(ringlet::http::to_number(*status)) : "-", body_bytes,
                       logged(sent.get("Referer").value_or("-")), logged(sent.get("User-Agent").value_or("-")));
}

}  // namespace

std::string log_line(const ringlet::net::endpoint& peer, const ringlet::http::request_head& request,
                     std::optional<ringlet::http::status> status, std::uint64_t body_bytes) {
    const bool old = request.version == ringlet::http::version::http_1_0;
    const std::string line =
        fmt::format("{} {} HTTP/1.{}", logged(request.method_text), logged(request.target), old ? 0 : 1);
    return line_of(peer, line, request.fields, status, body_bytes);
}

std::string refusal_line(const ringlet::net::endpoint& peer, const ringlet::http::request_head& known,
                         std::optional<ringlet::http::status> status, std::uint64_t body_bytes) {
    std::string line = known.method_text.empty() ? "-" : logged(known.method_text);
    if (!known.target.empty()) line += " " + logged(known.target);
    return line_of(peer, line, known.fields, status, body_bytes);
}

}  // namespace serve
