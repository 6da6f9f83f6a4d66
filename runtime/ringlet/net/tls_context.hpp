// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace ringlet::net {

/// Whom a client trusts.
struct tls_trust {
    tls_trust() noexcept {}
    /// A PEM file of certificate authorities; empty: those of the system.
    std::string ca_file;
    /// False: anybody who answers. What is sent can then be read by whoever is on the way.
    bool verify = true;
};

/// Certificates, keys and rules that TLS sessions share: TLS 1.2 and later, without renegotiation and compression. Copies
/// share one context. Processes that are forked share the keys of session tickets, so that a client may resume with any.
///
/// Thread: any, one at a time.
class tls_context {
public:
    /// For servers: PEM files with the certificate, those that issued it after it, and its private key without passphrase.
    /// `protocol` is what is spoken above (ALPN, RFC 7301): a client that offers others only is refused. One that speaks
    /// HTTP in clear gets `plain_answer`, as it is.
    ///
    /// Errors:    std::runtime_error, which says which file and why.
    static tls_context server(const std::string& certificate_file, const std::string& key_file,
                              const std::string& protocol = {}, const std::string& plain_answer = {});

    /// For clients. Errors: std::runtime_error, when the file of authorities cannot be read.
    static tls_context client(const tls_trust& trust = tls_trust(), const std::string& protocol = {});

    ssl_ctx_st* handle() const noexcept { return context_.get(); }
    bool is_server() const noexcept { return is_server_; }
    const std::shared_ptr<const std::string>& plain_answer() const noexcept { return plain_answer_; }

private:
    explicit tls_context(bool is_server);

    std::shared_ptr<ssl_ctx_st> context_;
    std::shared_ptr<const std::string> protocol_;  // as on the wire; the context has a pointer to it
    std::shared_ptr<const std::string> plain_answer_;
    bool is_server_;
};

}  // namespace ringlet::net
