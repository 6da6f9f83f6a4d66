// SPDX-License-Identifier: MIT
#include "fetch/failure.hpp"

#include <ringlet/http/client.hpp>
#include <ringlet/net/error.hpp>

#include <new>

namespace fetch {
namespace {

using apps::exit_code;

const failure out_of_memory{exit_code::file, "out of memory"};  // made while there is some

bool is_shortage(const std::error_code& why) noexcept {
    return why == std::errc::too_many_files_open || why == std::errc::too_many_files_open_in_system ||
           why == std::errc::not_enough_memory || why == std::errc::no_buffer_space;
}

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
        return {exit_code::other, other.what()};
    }
}

}  // namespace

failure connection_failure(const std::string& what, const std::error_code& why) {
    if (is_shortage(why)) return {exit_code::file, what};
    return {why == ringlet::net::errc::tls_failed ? exit_code::tls : exit_code::network, what};
}

failure current_failure() {
    try {
        return failure_in_words();
    } catch (const std::bad_alloc&) {
        return out_of_memory;
    }
}

}  // namespace fetch
