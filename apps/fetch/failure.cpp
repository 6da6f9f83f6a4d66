// SPDX-License-Identifier: MIT
#include "fetch/failure.hpp"

#include <ringlet/http/client.hpp>
#include <ringlet/net/error.hpp>

#include <new>

namespace fetch {
namespace {

using apps::exit_code;
using ringlet::net::errc;

const failure out_of_memory{reason::shortage, "out of memory"};  // made while there is some

failure failure_in_words() {
    try {
        throw;
    } catch (const failure& known) {
        return known;
    } catch (const ringlet::http::protocol_error& malformed) {
        return protocol_failure(malformed.what());
    } catch (const std::system_error& error) {
        return connection_failure(error.what(), error.code());  // those of files are failures already
    } catch (const std::bad_alloc&) {
        return out_of_memory;
    } catch (const std::exception& other) {
        return {reason::other, other.what()};
    }
}

}  // namespace

exit_code code_of(reason why) noexcept {
    switch (why) {
        case reason::shortage:
        case reason::file:
            return exit_code::file;
        case reason::dns:
        case reason::connect:
        case reason::timeout:
        case reason::truncated:
            return exit_code::network;
        case reason::tls:
        case reason::certificate:
            return exit_code::tls;
        case reason::login:
            return exit_code::login;
        case reason::protocol:
        case reason::redirects:
            return exit_code::protocol;
        case reason::status:
            return exit_code::status;
        case reason::checksum:
            return exit_code::checksum;
        case reason::reader_gone:
            return exit_code::reader_gone;
        case reason::other:
        case reason::size:
            return exit_code::other;
    }
    return exit_code::other;
}

std::string words_of(const std::system_error& error) {
    return error.code() == errc::tls_failed ? error.what() : error.code().message();
}

failure connection_failure(const std::string& what, const std::error_code& error, reason why) {
    if (is_shortage(error)) return {reason::shortage, what};
    if (error == errc::host_not_found) return {reason::dns, what};
    if (error == errc::resolver_unavailable || error == errc::resolver_timed_out)
        return failure{reason::dns, what}.that_may_pass();
    if (error == errc::certificate_refused) return {reason::certificate, what};
    if (error == errc::tls_failed) return {reason::tls, what};
    return failure{why, what}.that_may_pass();
}

failure current_failure() {
    try {
        return failure_in_words();
    } catch (const std::bad_alloc&) {
        return out_of_memory;
    }
}

}  // namespace fetch
