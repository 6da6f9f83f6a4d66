// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/tls_context.hpp>

#include <string>

namespace ringlet_tests {

/// A file of tests/certificates.
inline std::string certificate_file(const std::string& name) { return std::string{RINGLET_CERTIFICATES} + "/" + name; }

inline ringlet::net::tls_context tls_server(const std::string& name = "server", const std::string& protocol = {}) {
    return ringlet::net::tls_context::server(certificate_file(name + ".pem"), certificate_file(name + ".key"),
                                             protocol);
}

/// Trusts the authority of the tests.
inline ringlet::net::tls_context tls_client(const std::string& protocol = {}) {
    ringlet::net::tls_trust trust;
    trust.ca_file = certificate_file("authority.pem");
    return ringlet::net::tls_context::client(trust, protocol);
}

}  // namespace ringlet_tests
