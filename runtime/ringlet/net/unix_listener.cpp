// SPDX-License-Identifier: MIT
#include <ringlet/io/private_fd.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/detail/accept_error.hpp>
#include <ringlet/net/unix_listener.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringlet::net {
namespace {

[[noreturn]] void raise(int error, const unix_address& address) {
    throw std::system_error{error, std::generic_category(), "cannot listen on " + address.to_string()};
}

int bind_socket(const io::owned_fd& socket, const unix_address& address) noexcept {
    return io::sys::bind(socket.get(), &address.address(), address.length()) == 0 ? 0 : errno;
}

std::string seen_from_anywhere(const std::string& path) {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(path, error);
    return error ? path : absolute.string();
}

std::optional<struct stat> socket_file(const unix_address& address) noexcept {
    struct stat info{};
    const char* const path = reinterpret_cast<const sockaddr_un&>(address.address()).sun_path;
    if (io::sys::fstatat(AT_FDCWD, path, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISSOCK(info.st_mode))
        return std::nullopt;
    return info;
}

// Whether no process has the socket of this file any more. A datagram socket asks: to one that is bound, listening or not
// yet, it cannot be connected (EPROTOTYPE), so a server does not see a client that is none.
bool is_dead(const unix_address& address) noexcept {
    const io::owned_fd probe{io::sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    return probe && io::sys::connect(probe.get(), &address.address(), address.length()) != 0 && errno == ECONNREFUSED;
}

// The right to replace a dead socket's file: of several processes that find it dead one must not remove what another has
// bound by then. It is an abstract name made of the file's number: no file that a killed process would leave, and no wait
// for who locks the directory for reasons of its own.
unix_address right_to_replace(const struct stat& file) {
    return unix_address{fmt::format("@ringlet.replaces.{:x}.{:x}", file.st_dev, file.st_ino)};
}

// Binds in place of a dead socket's file, if it is one: EADDRINUSE when it is not, or when another process replaces it.
int replace_dead(const io::owned_fd& socket, const unix_address& address) {
    const std::optional<struct stat> found = socket_file(address);
    if (!found || !is_dead(address)) return EADDRINUSE;
    const io::private_fd right{io::sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!right) return errno;
    const unix_address name = right_to_replace(*found);
    if (io::sys::bind(right.get(), &name.address(), name.length()) != 0) return errno;
    // Who had it before us may have been faster: then the file is another one, or alive. Otherwise it stays until we
    // remove it, as its owner is gone.
    if (!is_dead(address)) return EADDRINUSE;
    const std::optional<struct stat> still = socket_file(address);
    if (!still || still->st_dev != found->st_dev || still->st_ino != found->st_ino) return EADDRINUSE;
    if (io::sys::unlinkat(AT_FDCWD, address.path().c_str(), 0) != 0) return errno;
    return bind_socket(socket, address);
}

}  // namespace

unix_listener unix_listener::bind(const unix_address& address, const unix_listen_options& options) {
    const std::string path = seen_from_anywhere(address.path());
    io::owned_fd socket{io::sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket) raise(errno, address);
    // The file takes the socket's own permissions when it is made: no moment with others.
    if (options.permissions && io::sys::fchmod(socket.get(), *options.permissions) != 0) raise(errno, address);
    int error = bind_socket(socket, address);
    if (error == EADDRINUSE && address.is_path() && options.replace_dead) error = replace_dead(socket, address);
    if (error != 0) raise(error, address);

    std::optional<made_file> file;
    if (address.is_path())
        if (const std::optional<struct stat> info = socket_file(address))
            file = made_file{info->st_dev, info->st_ino, ::getpid(), path};
    unix_listener listener{std::move(socket), address, std::move(file)};
    if (io::sys::listen(listener.socket().get(), options.backlog) != 0) raise(errno, address);  // and the file goes
    return listener;
}

void unix_listener::remove_file() noexcept {
    const std::optional<made_file> mine = std::exchange(file_, std::nullopt);
    if (!mine || mine->by != ::getpid()) return;
    struct stat info{};
    if (io::sys::fstatat(AT_FDCWD, mine->path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        info.st_dev == mine->device && info.st_ino == mine->number)
        io::sys::unlinkat(AT_FDCWD, mine->path.c_str(), 0);
}

task<unix_stream> unix_listener::accept() {
    std::chrono::milliseconds backoff = detail::accept_backoff_first;
    for (;;) {
        result<io::owned_fd> socket = co_await as_result(acceptor_.accept());
        if (socket) co_return unix_stream{*std::move(socket)};
        const std::error_code error = socket.error();
        if (detail::is_shortage(error.value())) {
            co_await sleep(backoff);
            backoff = std::min(backoff * 2, detail::accept_backoff_most);
        } else if (!detail::concerns_one_peer(error.value())) {
            throw std::system_error{error, "accept on " + address_.to_string()};
        }
    }
}

}  // namespace ringlet::net
