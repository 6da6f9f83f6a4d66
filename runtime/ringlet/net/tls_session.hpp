// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/tls_context.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct ssl_st;

namespace ringlet::net {

/// One end of a TLS connection, without the connection: what comes from the peer goes in by `feed`, what must go to the
/// peer gathers in `output`. For those who have a way of their own to receive and send; tls_stream is the usual one.
///
/// What this end does wrong in the eyes of the peer, or the peer in ours, is thrown as std::system_error,
/// net::errc::tls_failed or certificate_refused; an alert for the peer may be in `output` then.
/// Move-only. Thread: one at a time.
class tls_session {
public:
    /// `server_name`: of clients, what the certificate must be for (a name or an IP address), and what is asked for (SNI).
    explicit tls_session(const tls_context& context, const std::string& server_name = {});
    tls_session(tls_session&&) noexcept;
    tls_session& operator=(tls_session&&) noexcept;
    ~tls_session();

    /// More bytes from the peer; copied.
    void feed(std::span<const std::byte> ciphertext);
    /// The same without a copy, behind all that was fed: the bytes must stay until `keep_lent`, which copies what `read` has
    /// left of them, or until it fails.
    void lend(std::span<const std::byte> ciphertext) noexcept;
    void keep_lent();

    /// Goes on with the handshake. False: needs more from the peer; send the output first.
    bool handshake();

    struct outcome {
        std::size_t bytes = 0;
        bool closed = false;  ///< the peer has said that nothing more comes (close_notify)
    };
    /// Reads what is there of one record: what is wrong behind it is found when this has been dealt with. 0 bytes and not
    /// closed: needs more from the peer.
    outcome read(std::span<std::byte> into);

    /// Seals `plaintext` into the output.
    void write(std::span<const std::byte> plaintext);
    /// Tells the peer that nothing more comes (close_notify).
    void close() noexcept;

    /// What must go to the peer; take from its front what was sent.
    std::string& output() noexcept;

private:
    struct wire;
    struct free_session {
        void operator()(ssl_st* session) const noexcept;
    };
    [[noreturn]] void fail(const char* what);
    bool may_begin();

    std::unique_ptr<wire> wire_;
    std::shared_ptr<const std::string> plain_answer_;
    std::unique_ptr<ssl_st, free_session> session_;
};

}  // namespace ringlet::net
