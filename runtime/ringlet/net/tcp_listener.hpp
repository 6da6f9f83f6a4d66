// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/acceptor.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/tcp_stream.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace ringlet::net {

/// How a listener is set up.
struct listen_options {
    listen_options() noexcept {}
    explicit listen_options(int backlog_wanted) noexcept : backlog{backlog_wanted} {}
    /// Connections that the kernel holds until they are accepted; net.core.somaxconn caps it.
    int backlog = 4096;
    /// How long the kernel keeps a connection whose client has said nothing yet to itself, about; zero: not at all. A request
    /// that comes with its connection costs a fifth less (docs/serve.md). TCP_DEFER_ACCEPT, tcp(7).
    std::chrono::seconds until_data{0};

    /// For protocols in which the client speaks first, such as HTTP and TLS.
    static listen_options client_speaks_first() noexcept {
        listen_options options;
        options.until_data = std::chrono::seconds{1};
        return options;
    }
};

/// Listens for TCP connections, with SO_REUSEADDR: a restarted server gets its port back at once. May be destroyed, or
/// outlive a run, at any time.
class tcp_listener {
public:
    using stream_type = tcp_stream;

    /// Listens on an address; port 0 lets the kernel choose, see local_endpoint().
    /// Errors: std::system_error as bind(2), "cannot listen on 127.0.0.1:80: Permission denied".
    static tcp_listener bind(const endpoint& address, const listen_options& options = listen_options());

    /// Several sockets that listen on one address and share its connections: one for each process or thread that accepts.
    /// The kernel chooses one for each connection. Nobody else can listen there (SO_REUSEPORT is set when the first one has
    /// the port). One that is closed goes on listening while another process, which a fork gave it to, has it open.
    /// Errors: as `bind`.
    static std::vector<tcp_listener> bind_shared(const endpoint& address, std::size_t count,
                                                 const listen_options& options = listen_options());

    /// Waits for the next connection. Survives what passes: a peer that gave up before it was accepted is skipped; out of
    /// descriptors or memory, it tries again after 10 ms, doubling to 1 s.
    ///
    /// Result:    the connection, with TCP_NODELAY.
    /// Errors:    std::system_error as accept4(2) for what does not pass; `cancelled`, and then no connection is lost.
    /// Lifetime:  borrows the listener until the co_await ends. One job accepts at a time.
    /// Thread:    the loop's thread only.
    /// Maps to:   one multishot IORING_OP_ACCEPT for as long as it lasts, see io::acceptor.
    task<tcp_stream> accept();

    /// Stops listening: the kernel refuses further connections, and those not accepted yet are closed.
    void close() noexcept { acceptor_.close(); }

    /// With the port that the kernel chose.
    endpoint local_endpoint() const noexcept { return local_endpoint_of(acceptor_.socket().get()); }
    io::fd_ref socket() const noexcept { return acceptor_.socket(); }

private:
    static io::owned_fd open(const endpoint& address, const listen_options& options, bool shared);
    explicit tcp_listener(io::owned_fd socket, bool shared = false) : acceptor_{std::move(socket), shared} {}
    io::acceptor acceptor_;
};

}  // namespace ringlet::net
