// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/net/detail/openssl.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/tls_session.hpp>

#include <climits>

#include <algorithm>
#include <cstring>
#include <new>
#include <openssl/x509v3.h>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <openssl/bio.h>

namespace ringlet::net {

// Both directions, as OpenSSL reads and writes them.
struct tls_session::wire {
    std::string input;
    std::size_t taken = 0;            // of input
    std::span<const std::byte> lent;  // comes after it
    std::string output;
    bool out_of_memory = false;
    bool awaits_hello = false;  // a server's end of which nothing has been read

    int read(char* into, int bytes_max) noexcept {
        if (input.empty()) return read_lent(into, bytes_max);
        const std::size_t bytes = std::min(static_cast<std::size_t>(bytes_max), input.size() - taken);
        std::memcpy(into, input.data() + taken, bytes);
        taken += bytes;
        if (taken == input.size()) {
            std::string{}.swap(input);  // an assignment would keep the memory
            taken = 0;
        }
        return static_cast<int>(bytes);
    }
    int read_lent(char* into, int bytes_max) noexcept {
        const std::size_t bytes = std::min(static_cast<std::size_t>(bytes_max), lent.size());
        std::copy_n(as_text(lent).data(), bytes, into);
        lent = lent.subspan(bytes);
        return static_cast<int>(bytes);
    }
    static int bio_read(BIO* bio, char* into, int bytes_max) {
        BIO_clear_retry_flags(bio);
        const int bytes = static_cast<wire*>(BIO_get_data(bio))->read(into, bytes_max);
        if (bytes > 0) return bytes;
        BIO_set_retry_read(bio);
        return -1;
    }
    static int bio_write(BIO* bio, const char* from, int bytes) {
        BIO_clear_retry_flags(bio);
        auto& all = *static_cast<wire*>(BIO_get_data(bio));
        try {
            all.output.append(from, static_cast<std::size_t>(bytes));
        } catch (const std::bad_alloc&) {  // must not pass through OpenSSL
            all.out_of_memory = true;
            return -1;
        }
        return bytes;
    }
    static long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
    static int bio_create(BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
    }
    static BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* const all = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ringlet");
            if (!all) throw std::bad_alloc{};
            BIO_meth_set_read(all, &bio_read);
            BIO_meth_set_write(all, &bio_write);
            BIO_meth_set_ctrl(all, &bio_control);
            BIO_meth_set_create(all, &bio_create);
            return all;
        }();
        return made;
    }
};

namespace {

constexpr int hello_bytes_max = 16 * 1024;

bool is_address(const std::string& host) noexcept {
    in6_addr ignored{};
    return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

void expect_name(SSL* session, const std::string& name) {
    if (is_address(name)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name.c_str());
        return;
    }
    SSL_set_tlsext_host_name(session, name.c_str());
    // The common name of its subject says nothing of whom a certificate is for (RFC 9110 section 4.3.4).
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (SSL_set1_host(session, name.c_str()) != 1) throw std::bad_alloc{};
}

int to_int(std::size_t bytes) noexcept { return static_cast<int>(std::min(bytes, std::size_t{INT_MAX})); }

std::string certificate_problem(long verdict) {
    switch (verdict) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "the certificate is for another host";
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "the certificate is self-signed";
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "the certificate has expired";
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "the certificate is not valid yet";
        default:
            return std::string{"the certificate was not accepted: "} + X509_verify_cert_error_string(verdict);
    }
}

}  // namespace

void tls_session::free_session::operator()(ssl_st* session) const noexcept { SSL_free(session); }

tls_session::tls_session(const tls_context& context, const std::string& server_name)
    : wire_{std::make_unique<wire>()}, plain_answer_{context.plain_answer()}, session_{SSL_new(context.handle())} {
    BIO* const bio = session_ ? BIO_new(wire::method()) : nullptr;
    if (!bio) throw std::bad_alloc{};
    BIO_set_data(bio, wire_.get());
    SSL_set_bio(session_.get(), bio, bio);
    if (context.is_server()) {
        SSL_set_accept_state(session_.get());
        wire_->awaits_hello = true;
        return;
    }
    SSL_set_connect_state(session_.get());
    if (!server_name.empty()) expect_name(session_.get(), server_name);
}

tls_session::tls_session(tls_session&&) noexcept = default;
tls_session& tls_session::operator=(tls_session&&) noexcept = default;
tls_session::~tls_session() = default;

std::string& tls_session::output() noexcept { return wire_->output; }

void tls_session::feed(std::span<const std::byte> ciphertext) { wire_->input += as_text(ciphertext); }

void tls_session::lend(std::span<const std::byte> ciphertext) noexcept { wire_->lent = ciphertext; }

void tls_session::keep_lent() { feed(std::exchange(wire_->lent, {})); }

void tls_session::fail(const char* what) {
    wire_->lent = {};
    if (wire_->out_of_memory) throw std::bad_alloc{};
    const unsigned long error = ERR_peek_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        throw std::system_error{errc::certificate_refused, certificate_problem(SSL_get_verify_result(session_.get()))};
    throw std::system_error{errc::tls_failed, std::string{what} + ": " + detail::openssl_error_text()};
}

// OpenSSL takes memory for a ClientHello as long as its head says, before it has come: up to 128 KiB for nine bytes.
bool tls_session::may_begin() {
    if (!wire_->awaits_hello) return true;
    const std::string& came = wire_->input;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(came[at]); };
    constexpr unsigned char handshake_record = 22;
    if (!came.empty() && byte(0) == handshake_record) {
        constexpr std::size_t heads = 5 + 4;  // of the record and of the message (RFC 8446 sections 5.1 and 4)
        if (came.size() < heads) return false;
        const int record_bytes = byte(3) << 8 | byte(4);
        if (record_bytes < 4 || byte(6) != 0 || byte(7) > hello_bytes_max >> 8)
            throw std::system_error{errc::tls_failed, "TLS handshake: a ClientHello that long is none"};
    }
    wire_->awaits_hello = came.empty();
    return true;
}

bool tls_session::handshake() {
    if (!may_begin()) return false;
    ERR_clear_error();
    const int done = SSL_do_handshake(session_.get());
    if (done == 1) return true;
    if (SSL_get_error(session_.get(), done) == SSL_ERROR_WANT_READ) return false;
    if (plain_answer_ && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) output() = *plain_answer_;
    fail("TLS handshake");
}

tls_session::outcome tls_session::read(std::span<std::byte> into) {
    if (into.empty()) return {};
    ERR_clear_error();
    const int got = SSL_read(session_.get(), into.data(), to_int(into.size()));
    if (got > 0) return {static_cast<std::size_t>(got)};
    const int why = SSL_get_error(session_.get(), got);
    if (why == SSL_ERROR_WANT_READ) return {};
    if (why == SSL_ERROR_ZERO_RETURN) return {.closed = true};
    fail("TLS");
}

void tls_session::write(std::span<const std::byte> plaintext) {
    while (!plaintext.empty()) {
        ERR_clear_error();
        const int written = SSL_write(session_.get(), plaintext.data(), to_int(plaintext.size()));
        if (written <= 0) fail("TLS");
        plaintext = plaintext.subspan(static_cast<std::size_t>(written));
    }
}

void tls_session::close() noexcept {
    ERR_clear_error();
    SSL_shutdown(session_.get());  // before the end of a handshake it cannot
}

}  // namespace ringlet::net
