// SPDX-License-Identifier: MIT
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/detail/accept_error.hpp>
#include <ringlet/net/unix_listener.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringlet::net {
namespace {

[[noreturn]] void raise(int error, const unix_address& address) {
    throw std::system_error{error, std::generic_category(), "cannot listen on " + address.to_string()};
}

bool is_dead(const unix_address& address) noexcept {
    struct stat info{};
    if (io::sys::fstatat(AT_FDCWD, address.path().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
    if (!S_ISSOCK(info.st_mode)) return false;
    const io::owned_fd probe{io::sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    return probe && io::sys::connect(probe.get(), &address.address(), address.length()) != 0 && errno == ECONNREFUSED;
}

int bind_socket(const io::owned_fd& socket, const unix_address& address) noexcept {
    return io::sys::bind(socket.get(), &address.address(), address.length()) == 0 ? 0 : errno;
}

}  // namespace

unix_listener unix_listener::bind(const unix_address& address, const unix_listen_options& options) {
    io::owned_fd socket{io::sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket) raise(errno, address);
    // The file takes the socket's own permissions when it is made: no moment with others.
    if (options.permissions && io::sys::fchmod(socket.get(), *options.permissions) != 0) raise(errno, address);
    int error = bind_socket(socket, address);
    if (error == EADDRINUSE && address.is_path() && options.replace_dead && is_dead(address) &&
        io::sys::unlinkat(AT_FDCWD, address.path().c_str(), 0) == 0)
        error = bind_socket(socket, address);
    if (error != 0) raise(error, address);

    std::optional<made_file> file;
    struct stat info{};
    if (address.is_path() && io::sys::fstatat(AT_FDCWD, address.path().c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
        file = made_file{info.st_dev, info.st_ino, ::getpid()};
    if (io::sys::listen(socket.get(), options.backlog) != 0) {
        error = errno;
        if (file) io::sys::unlinkat(AT_FDCWD, address.path().c_str(), 0);
        raise(error, address);
    }
    return unix_listener{std::move(socket), address, file};
}

void unix_listener::remove_file() noexcept {
    const std::optional<made_file> mine = std::exchange(file_, std::nullopt);
    if (!mine || mine->by != ::getpid()) return;
    struct stat info{};
    // sun_path, not path(): nothing here may throw. It ends with a zero byte.
    const char* const path = reinterpret_cast<const sockaddr_un&>(address_.address()).sun_path;
    if (io::sys::fstatat(AT_FDCWD, path, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_dev == mine->device &&
        info.st_ino == mine->number)
        io::sys::unlinkat(AT_FDCWD, path, 0);
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
