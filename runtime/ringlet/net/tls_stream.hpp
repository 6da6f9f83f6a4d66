// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/net/tls_context.hpp>
#include <ringlet/net/tls_session.hpp>
#include <ringlet/sync/mutex.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>

namespace ringlet::net {

/// A TCP connection under TLS. Move-only while nobody waits. One job may receive while another sends; two must not do the
/// same. While it waits for its peer it holds none of the loop's buffers.
class tls_stream {
public:
    /// The handshake of a server. Bound it by with_timeout: the peer may say nothing.
    ///
    /// Result:    the stream.
    /// Errors:    std::system_error of the transport; errc::tls_failed, errc::unexpected_end; `cancelled`. The transport
    ///            is closed then.
    /// Thread:    the loop's thread only.
    /// Maps to:   RFC 8446 section 2; IORING_OP_RECV, IORING_OP_SEND.
    static task<tls_stream> accept(tcp_stream transport, tls_context context);

    /// The handshake of a client with the server `host`, a name or an IP address, for which the certificate must be.
    ///
    /// Errors:    as `accept`; errc::certificate_refused, which says why.
    static task<tls_stream> connect(tcp_stream transport, tls_context context, std::string host);

    /// Receives into `buffer`: 1 byte or more, 0 when the peer has said that nothing more comes (close_notify).
    ///
    /// Errors:    std::system_error of the transport; errc::unexpected_end when the connection ended without that word:
    ///            what came may have been cut by somebody else; errc::tls_failed.
    task<std::size_t> recv(std::span<std::byte> buffer);

    /// Sends all of `bytes`. What a cancelled call did not send goes out with the next one: no record is ever torn.
    task<> send_all(std::span<const std::byte> bytes);

    /// Tells the peer that nothing more will be sent (close_notify, then FIN); receiving goes on.
    task<> shutdown_send();

    tcp_stream& transport() noexcept { return transport_; }

    struct parts {
        tcp_stream transport;
        tls_session session;
    };
    /// Gives both up, for those who move the bytes themselves.
    parts release() && noexcept { return {std::move(transport_), std::move(session_)}; }

private:
    tls_stream(tcp_stream transport, tls_session session);

    static task<tls_stream> shake_hands(tcp_stream transport, tls_session session, bool as_server);
    task<> part();
    task<> flush();
    tls_session::outcome read_all(std::span<std::byte> buffer);
    void receive_more(std::span<std::byte> buffer, std::size_t fed);

    tcp_stream transport_;
    tls_session session_;
    std::exception_ptr failure_;      // found by a read that had something to give
    std::unique_ptr<mutex> sending_;  // receiving may have to answer
};

}  // namespace ringlet::net
