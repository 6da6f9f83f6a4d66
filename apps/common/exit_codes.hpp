// SPDX-License-Identifier: MIT
#pragma once

namespace apps {

/// How a transfer program ends. wget's set, so that scripts that know wget's can tell what happened.
enum class exit_code : int {
    ok = 0,             ///< all done, or already complete
    other = 1,          ///< none of the others
    usage = 2,          ///< command line or list of URLs
    file = 3,           ///< local file or disk
    network = 4,        ///< names, connections, time limits, truncation
    tls = 5,            ///< certificate or handshake
    login = 6,          ///< authentication
    protocol = 7,       ///< malformed response, bad range, redirects
    status = 8,         ///< the server answered with an error
    checksum = 10,      ///< the content is not what was announced
    interrupted = 130,  ///< Ctrl-C; what was done is kept
    reader_gone = 141   ///< nobody reads standard output any more, as SIGPIPE would end it
};

[[nodiscard]] constexpr int to_int(exit_code code) noexcept { return static_cast<int>(code); }

/// One code for two outcomes, by wget's rule: an interruption wins, else the lowest code that is neither 0 nor 1, else
/// 1 when there is one. Fold it over all items, starting with ok.
[[nodiscard]] constexpr exit_code combine(exit_code a, exit_code b) noexcept {
    const auto rank = [](exit_code code) {
        switch (code) {
            case exit_code::interrupted:
                return 0;
            case exit_code::other:
                return 1000;
            case exit_code::ok:
                return 1001;
            default:
                return to_int(code);
        }
    };
    return rank(a) <= rank(b) ? a : b;
}

}  // namespace apps
