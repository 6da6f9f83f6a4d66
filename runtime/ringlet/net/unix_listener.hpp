// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/acceptor.hpp>
#include <ringlet/net/unix_address.hpp>
#include <ringlet/net/unix_stream.hpp>

#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace ringlet::net {

/// How a Unix listener is set up.
struct unix_listen_options {
    unix_listen_options() noexcept {}
    /// Connections that the kernel holds until they are accepted; net.core.somaxconn caps it.
    int backlog = 4096;
    /// Who may connect: the socket file's permissions, from its first moment on, less the umask. 0777 when absent.
    std::optional<mode_t> permissions;
    /// A socket file whose socket is gone, such as a killed server leaves, is replaced; when several processes of this
    /// library do that at a time, one of them gets it. Without it, EADDRINUSE.
    bool replace_dead = true;
};

/// Listens on a Unix socket. As tcp_listener; a path that it made goes when it is closed or destroyed, unless another file is
/// there by then, or a forked child is who closes.
class unix_listener {
public:
    using stream_type = unix_stream;

    /// Listens on a path or on "@name".
    /// Errors: std::system_error as bind(2), "cannot listen on /run/x: Address already in use" when somebody listens there.
    static unix_listener bind(const unix_address& address, const unix_listen_options& options = unix_listen_options());

    unix_listener(unix_listener&& other) noexcept
        : acceptor_{std::move(other.acceptor_)},
          file_{std::exchange(other.file_, std::nullopt)},
          address_{other.address_} {}
    unix_listener& operator=(unix_listener&& other) noexcept {
        if (this != &other) {
            close();
            acceptor_ = std::move(other.acceptor_);
            file_ = std::exchange(other.file_, std::nullopt);
            address_ = other.address_;
        }
        return *this;
    }
    ~unix_listener() { remove_file(); }

    /// Waits for the next connection. See tcp_listener::accept, also for what it survives.
    task<unix_stream> accept();

    /// Stops listening and removes the path: the kernel refuses further connections, and those not accepted yet are closed.
    void close() noexcept {
        remove_file();
        acceptor_.close();
    }

    const unix_address& local_address() const noexcept { return address_; }
    io::fd_ref socket() const noexcept { return acceptor_.socket(); }

private:
    struct made_file {
        dev_t device;
        ino_t number;
        pid_t by;
        std::string path;  // absolute: the program may go to another directory
    };

    unix_listener(io::owned_fd socket, const unix_address& address, std::optional<made_file> file)
        : acceptor_{std::move(socket)}, file_{std::move(file)}, address_{address} {}
    void remove_file() noexcept;

    io::acceptor acceptor_;
    std::optional<made_file> file_;
    unix_address address_;
};

}  // namespace ringlet::net
