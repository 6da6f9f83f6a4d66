// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <openssl/x509.h>
#include <string>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace ringlet::net::detail {

/// What OpenSSL says of the oldest error that it keeps, in the system's words where it is the system's.
inline std::string openssl_error_text() {
    const unsigned long error = ERR_peek_error();
    if (error == 0) return "unknown reason";
    if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
    const char* const reason = ERR_reason_error_string(error);
    return reason ? reason : "OpenSSL's error " + std::to_string(error);
}

}  // namespace ringlet::net::detail
