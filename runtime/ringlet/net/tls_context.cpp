// SPDX-License-Identifier: MIT
#include <ringlet/net/detail/openssl.hpp>
#include <ringlet/net/tls_context.hpp>

#include <stdexcept>
#include <string_view>

#include <openssl/pem.h>

namespace ringlet::net {
namespace {

// Never asks on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes, const unsigned char* offered,
                    unsigned offered_bytes, void* ours) {
    const auto& protocol = *static_cast<const std::string*>(ours);
    unsigned char* found = nullptr;
    const int outcome =
        SSL_select_next_proto(&found, chosen_bytes, reinterpret_cast<const unsigned char*>(protocol.data()),
                              static_cast<unsigned>(protocol.size()), offered, offered_bytes);
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

[[noreturn]] void fail_with(const std::string& file, std::string_view wanted) {
    const unsigned long first = ERR_peek_error();
    std::string why;
    if (ERR_GET_LIB(first) == ERR_LIB_PEM && ERR_GET_REASON(first) == PEM_R_NO_START_LINE)
        why = "holds no " + std::string{wanted} + " in PEM form";
    else if (ERR_GET_LIB(first) == ERR_LIB_PEM && ERR_GET_REASON(first) == PEM_R_BAD_PASSWORD_READ)
        why = "is protected by a passphrase, and nobody can be asked for it";
    else if (ERR_GET_LIB(first) == ERR_LIB_OSSL_DECODER)
        why = "holds no " + std::string{wanted} + " that can be read";
    else
        why = detail::openssl_error_text();
    throw std::runtime_error{file + ": " + why};
}

}  // namespace

tls_context::tls_context(bool is_server)
    : context_{SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()), &SSL_CTX_free},
      is_server_{is_server} {
    if (!context_) throw std::runtime_error{"TLS: " + detail::openssl_error_text()};
    SSL_CTX_set_min_proto_version(handle(), TLS1_2_VERSION);
    SSL_CTX_set_options(handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(handle(), SSL_MODE_RELEASE_BUFFERS);          // an idle session holds no buffers
    SSL_CTX_set_session_cache_mode(handle(), SSL_SESS_CACHE_OFF);  // clients keep their tickets
    SSL_CTX_set_default_passwd_cb(handle(), &no_passphrase);
}

tls_context tls_context::server(const std::string& certificate_file, const std::string& key_file,
                                const std::string& protocol, const std::string& plain_answer) {
    ERR_clear_error();
    tls_context made{true};
    if (!plain_answer.empty()) made.plain_answer_ = std::make_shared<const std::string>(plain_answer);
    if (SSL_CTX_use_certificate_chain_file(made.handle(), certificate_file.c_str()) != 1)
        fail_with(certificate_file, "certificate");
    if (SSL_CTX_use_PrivateKey_file(made.handle(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH)
            throw std::runtime_error{key_file + ": is not the key of the certificate in " + certificate_file};
        fail_with(key_file, "private key");
    }
    if (!protocol.empty()) {
        made.protocol_ = std::make_shared<const std::string>(static_cast<char>(protocol.size()) + protocol);
        SSL_CTX_set_alpn_select_cb(made.handle(), &choose_protocol, const_cast<std::string*>(made.protocol_.get()));
    }
    return made;
}

tls_context tls_context::client(const tls_trust& trust, const std::string& protocol) {
    ERR_clear_error();
    tls_context made{false};
    if (trust.verify) SSL_CTX_set_verify(made.handle(), SSL_VERIFY_PEER, nullptr);
    if (!trust.ca_file.empty()) {
        if (SSL_CTX_load_verify_file(made.handle(), trust.ca_file.c_str()) != 1)
            fail_with(trust.ca_file, "certificate");
    } else if (trust.verify && SSL_CTX_set_default_verify_paths(made.handle()) != 1) {
        throw std::runtime_error{"the system's certificate authorities: " + detail::openssl_error_text()};
    }
    if (!protocol.empty()) {
        const std::string wire = static_cast<char>(protocol.size()) + protocol;
        SSL_CTX_set_alpn_protos(made.handle(), reinterpret_cast<const unsigned char*>(wire.data()),
                                static_cast<unsigned>(wire.size()));
    }
    return made;
}

}  // namespace ringlet::net
