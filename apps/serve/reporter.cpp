// SPDX-License-Identifier: MIT
#include "serve/reporter.hpp"

#include "common/sanitize.hpp"
#include <ringlet/core/error.hpp>
#include <ringlet/net/error.hpp>

#include <string>
#include <system_error>

namespace serve {

namespace net = ringlet::net;

void reporter::listens(const net::endpoint& where) {
    print_.out().say("Serving {} at {}://{}/", apps::sanitize(options_.site.root, apps::text_context::field),
                     options_.tls_cert.empty() ? "http" : "https", where);
}

void reporter::say(std::string_view text) { print_.err().line("ringlet-serve: " + std::string{text}); }

void reporter::say_if_asked(std::string_view text) {
    if (options_.verbose) print_.err().line(text);
}

reporter::line::~line() {
    try {
        in_.answered({peer_, request_, client_.answered(), client_.body_bytes_sent(), in_.now() - begin_});
    } catch (...) {  // no memory for a line of the log: the client has its answer
    }
}

void reporter::answered(const logged_answer& what) {
    ++totals_.requests;
    totals_.body_bytes += what.body_bytes;
    if (!options_.quiet) print_.out().line(log_line(what, options_.log));
}

void reporter::failed(const net::endpoint& peer, const std::exception_ptr& why) {
    try {
        std::rethrow_exception(why);
    } catch (const std::system_error& error) {
        if (net::is_disconnect(error.code())) return;
        if (error.code() == net::errc::tls_failed && !options_.verbose) return;
    } catch (...) {
    }
    print_.err().say("ringlet-serve: connection from {}: {}", peer, ringlet::detail::describe(why));
}

}  // namespace serve
