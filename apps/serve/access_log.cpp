// SPDX-License-Identifier: MIT
#include "serve/access_log.hpp"

#include "common/sanitize.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <string_view>

namespace serve {
namespace {

constexpr std::size_t field_cells_max = 2048;

std::string logged(std::string_view text) { return apps::sanitize(text, apps::text_context::log, field_cells_max); }

}  // namespace

std::string log_line(const ringlet::net::endpoint& peer, const ringlet::http::request_head& request,
                     ringlet::http::status status, std::uint64_t body_bytes) {
    const bool old = request.version == ringlet::http::version::http_1_0;
    return fmt::format("{} - - [{:%d/%b/%Y:%H:%M:%S +0000}] \"{} {} HTTP/1.{}\" {} {} \"{}\" \"{}\"",
                       peer.address_text(), fmt::gmtime(std::time(nullptr)), logged(request.method_text),
                       logged(request.target), old ? 0 : 1, ringlet::http::to_number(status), body_bytes,
                       logged(request.fields.get("Referer").value_or("-")),
                       logged(request.fields.get("User-Agent").value_or("-")));
}

}  // namespace serve
