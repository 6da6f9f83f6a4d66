// SPDX-License-Identifier: MIT
#include "common/confined_open.hpp"
#include "compare/downloads/download.hpp"
#include "compare/downloads/models.hpp"
#include "compare/sockets.hpp"

#include <array>
#include <cerrno>
#include <exception>
#include <span>
#include <system_error>

#include <sys/socket.h>

namespace comparison {
namespace {

[[noreturn]] void fail() {
    if (errno == EAGAIN) throw silence();
    throw std::system_error{errno, std::generic_category()};
}

void transfer(download& file) {
    const apps::unique_fd server = connect_waiting(file.from().host(), file.from().port());
    if (!server) throw no_connection();
    if (!send_all(server.get(), file.request())) fail();
    std::array<std::byte, download::block_bytes> block;
    for (bool goes_on = true; goes_on;) {
        const ssize_t got = ::recv(server.get(), block.data(), block.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail();
        goes_on = file.take(std::span{block}.first(static_cast<std::size_t>(got)));
    }
}

}  // namespace

void fetch_waiting(const wanted_file& what, download_session& all) {
    try {
        download file{what, all};
        transfer(file);
    } catch (const std::exception&) {
        all.failed(what);
    }
}

}  // namespace comparison
