// SPDX-License-Identifier: MIT
#include "xfer/failure.hpp"

#include <ringlet/net/error.hpp>

#include <fmt/format.h>

#include <new>

namespace xfer {
namespace {

using apps::exit_code;
using ringlet::net::errc;

const failure out_of_memory{reason::shortage, "out of memory"};  // made while there is some

reason reason_of(const std::error_code& error) noexcept {
    if (apps::is_shortage(error)) return reason::shortage;
    if (error == errc::host_not_found || error == errc::resolver_unavailable || error == errc::resolver_timed_out)
        return reason::dns;
    return error == std::errc::timed_out ? reason::timeout : reason::connect;
}

}  // namespace

exit_code code_of(reason why) noexcept {
    switch (why) {
        case reason::usage:
            return exit_code::usage;
        case reason::shortage:
        case reason::file:
            return exit_code::file;
        case reason::dns:
        case reason::connect:
        case reason::timeout:
        case reason::truncated:
            return exit_code::network;
        case reason::protocol:
            return exit_code::protocol;
        case reason::refused:
        case reason::changed:
            return exit_code::status;
        case reason::checksum:
            return exit_code::checksum;
        case reason::other:
            return exit_code::other;
    }
    return exit_code::other;
}

std::string_view word_of(reason why) noexcept {
    switch (why) {
        case reason::usage:
            return "usage";
        case reason::file:
            return "file";
        case reason::dns:
            return "dns";
        case reason::connect:
            return "connect";
        case reason::timeout:
            return "timeout";
        case reason::truncated:
            return "truncated";
        case reason::protocol:
            return "protocol";
        case reason::refused:
            return "refused";
        case reason::changed:
            return "changed";
        case reason::checksum:
            return "checksum";
        case reason::shortage:
        case reason::other:
            return "other";
    }
    return "other";
}

failure file_failure(std::string_view doing, std::string_view name, const std::error_code& error) {
    return {apps::is_shortage(error) ? reason::shortage : reason::file,
            fmt::format("{} {}: {}", doing, name, error.message())};
}

failure current_failure() {
    try {
        try {
            throw;
        } catch (const failure& known) {
            return known;
        } catch (const std::system_error& error) {
            if (error.code() == std::errc::timed_out) return {reason::timeout, "nothing came within the time limit"};
            return {reason_of(error.code()), error.what()};
        } catch (const std::bad_alloc&) {
            return out_of_memory;
        } catch (const std::exception& other) {
            return {reason::other, other.what()};
        }
    } catch (const std::bad_alloc&) {
        return out_of_memory;
    }
}

}  // namespace xfer
