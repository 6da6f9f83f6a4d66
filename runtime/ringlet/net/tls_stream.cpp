// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/result.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/tls_stream.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include <sys/socket.h>

namespace ringlet::net {
namespace {

// Sealed and sent at a time, so that a long text is not held twice.
constexpr std::size_t piece_bytes = std::size_t{128} * 1024;

// With its head and what sealing may add (RFC 8446 section 5.2); a session holds no more that has not been read.
constexpr std::size_t record_bytes_max = 5 + 16 * 1024 + 256;

constexpr std::chrono::seconds parting_time{2};

}  // namespace

tls_stream::tls_stream(tcp_stream transport, tls_session session)
    : transport_{std::move(transport)}, session_{std::move(session)}, sending_{std::make_unique<mutex>()} {}

// So that what was said last reaches the peer: unread input would make the end a reset.
task<> tls_stream::part() {
    co_await transport_.shutdown_send();
    for (;;) {
        const io::buffer_lease dropped = co_await transport_.recv_lease();
        if (dropped.empty()) co_return;
    }
}

task<tls_stream> tls_stream::shake_hands(tcp_stream transport, tls_session session, bool as_server) {
    tls_stream made{std::move(transport), std::move(session)};
    for (;;) {
        bool done = false;
        std::exception_ptr failure;
        try {
            done = made.session_.handshake();
        } catch (const std::system_error&) {
            failure = std::current_exception();
        }
        if (failure) {
            (void)co_await as_result(made.flush());  // the alert; who it is for may have left
            if (as_server) (void)co_await as_result(with_timeout(parting_time, made.part()));
            std::rethrow_exception(failure);
        }
        co_await made.flush();
        if (done) co_return std::move(made);
        const io::buffer_lease lease = co_await made.transport_.recv_lease();
        if (lease.empty()) throw std::system_error{errc::unexpected_end, "TLS handshake"};
        made.session_.feed(lease.bytes());
    }
}

task<tls_stream> tls_stream::accept(tcp_stream transport, tls_context context) {
    tls_session session{context};
    return shake_hands(std::move(transport), std::move(session), true);
}

task<tls_stream> tls_stream::connect(tcp_stream transport, tls_context context, std::string host) {
    tls_session session{context, host};
    return shake_hands(std::move(transport), std::move(session), false);
}

// One at a time: records go out in the order in which they were sealed.
task<> tls_stream::flush() {
    if (session_.output().empty()) co_return;
    const auto guard = co_await sending_->lock();
    while (!session_.output().empty()) {
        // Not the string itself: the other side may add to it meanwhile.
        std::string going = std::move(session_.output());
        session_.output().clear();
        std::span<const std::byte> rest = ringlet::as_bytes(going);
        try {
            while (!rest.empty()) {
                const std::size_t sent = co_await transport_.send(rest);
                rest = rest.subspan(sent);
            }
        } catch (...) {
            session_.output().insert(0, as_text(rest));
            throw;
        }
    }
}

// As many records as there are. What is wrong with the second is found by the next call.
tls_session::outcome tls_stream::read_all(std::span<std::byte> buffer) {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    tls_session::outcome all = session_.read(buffer);
    try {
        while (all.bytes > 0 && all.bytes < buffer.size()) {
            const tls_session::outcome next = session_.read(buffer.subspan(all.bytes));
            if (next.bytes == 0) break;
            all.bytes += next.bytes;
        }
    } catch (const std::exception&) {
        failure_ = std::current_exception();
    }
    session_.keep_lent();
    return all;
}

// Where the loop's buffer was too small for what had come, the rest is received without waiting into the caller's, to be
// read from there. It lies so far behind that no plaintext reaches it before it has been read.
void tls_stream::receive_more(std::span<std::byte> buffer, std::size_t fed) {
    const std::size_t room = record_bytes_max + fed;
    if (buffer.size() <= room) return;
    const auto place = buffer.subspan(room);
    const ssize_t got = io::sys::recv(transport_.socket().get(), place.data(), place.size(), MSG_DONTWAIT);
    if (got > 0) session_.lend(place.first(static_cast<std::size_t>(got)));
}

task<std::size_t> tls_stream::recv(std::span<std::byte> buffer) {
    for (;;) {
        const tls_session::outcome got = read_all(buffer);
        // Answers to what concerns the session only. Who sends already takes them along; to wait for it could be for ever,
        // when the peer does the same.
        if (!sending_->locked()) co_await flush();
        if (got.bytes > 0 || got.closed || buffer.empty()) co_return got.bytes;
        const io::buffer_lease lease = co_await transport_.recv_lease();
        if (lease.empty()) throw std::system_error{errc::unexpected_end, "TLS"};
        session_.feed(lease.bytes());
        if (lease.size() == io::loop::current().buffers().buffer_bytes()) receive_more(buffer, lease.size());
    }
}

task<> tls_stream::send_all(std::span<const std::byte> bytes) {
    do {
        const auto piece = bytes.first(std::min(bytes.size(), piece_bytes));
        session_.write(piece);
        bytes = bytes.subspan(piece.size());
        co_await flush();
    } while (!bytes.empty());
}

task<> tls_stream::shutdown_send() {
    session_.close();
    co_await flush();
    co_await transport_.shutdown_send();
}

}  // namespace ringlet::net
