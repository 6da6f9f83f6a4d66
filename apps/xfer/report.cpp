// SPDX-License-Identifier: MIT
#include "xfer/report.hpp"

#include "common/json.hpp"
#include "common/numbers.hpp"
#include "common/sanitize.hpp"
#include <ringlet/io/system_calls.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

namespace xfer {
namespace {

constexpr std::size_t field_cells_max = 1024;

std::string logged(std::string_view text) { return apps::sanitize(text, apps::text_context::log, field_cells_max); }

double seconds_since(ringlet::deadline began) noexcept {
    return std::chrono::duration<double>(ringlet::clock::now() - began).count();
}

std::string text_line(const transfer& what) {
    std::string line = fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} ", fmt::gmtime(ringlet::io::sys::time()), what.peer);
    if (!what.name.empty()) line += fmt::format("\"{}\" ", logged(what.name));
    line += what.result;
    if (what.found) line += fmt::format(", {} of {} bytes", what.start + what.sent, what.size);
    if (what.start > 0) line += fmt::format(" from {} on", what.start);
    line += fmt::format(" in {:.3f} s", seconds_since(what.began));
    if (!what.why.empty()) line += fmt::format(" ({})", logged(what.why));
    return line;
}

std::string json_line(const transfer& what) {
    return fmt::format(
        R"({{"time":"{:%Y-%m-%dT%H:%M:%SZ}","peer":{},"name":{},"result":"{}","size":{},"start":{},"bytes":{},"seconds":{:.6f},"message":{}}})",
        fmt::gmtime(ringlet::io::sys::time()), apps::json_string(what.peer.to_string()),
        what.name.empty() ? "null" : apps::json_string(what.name), what.result, what.size, what.start, what.sent,
        seconds_since(what.began), what.why.empty() ? "null" : apps::json_string(what.why));
}

}  // namespace

std::string log_line(const transfer& what, bool json) { return json ? json_line(what) : text_line(what); }

void reporter::listens(const ringlet::net::endpoint& where) {
    print_.out().say("Serving {} at {}", apps::sanitize(how_.root, apps::text_context::field), where);
}

void reporter::say(std::string_view text) { print_.err().say("ringlet-xfer: {}", text); }

void reporter::say_if_asked(std::string_view text) {
    if (how_.verbose) print_.err().line(text);
}

void reporter::ended(const transfer& what) {
    totals_.bytes += what.sent;
    if (what.result == "received" || what.result == "sent") ++totals_.files;
    if (what.result.empty()) {
        if (how_.verbose) print_.err().say("{}: connected for nothing", what.peer);
        return;
    }
    try {
        if (!how_.quiet) print_.out().line(log_line(what, how_.json));
    } catch (const std::exception&) {  // memory is short
    }
}

void reporter::say_totals() {
    if (how_.quiet) return;
    const auto plural = [](std::uint64_t n) { return n == 1 ? "" : "s"; };
    say(fmt::format("{} file{} on {} connection{}, {} sent", totals_.files, plural(totals_.files), totals_.connections,
                    plural(totals_.connections), apps::format_size(totals_.bytes)));
}

}  // namespace xfer
