// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/ready_or_task.hpp>
#include <ringlet/core/result.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/http/message.hpp>
#include <ringlet/http/parser.hpp>
#include <ringlet/http/writer.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/multishot_stream.hpp>
#include <ringlet/net/send_file.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/net/tls_stream.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <sys/uio.h>

namespace ringlet::http {

namespace detail {

/// Half as large as the usual one, up to 49 days: idle connections are many.
using milliseconds = std::chrono::duration<std::uint32_t, std::milli>;

/// What a connection keeps of its limits; its parser has the others.
struct connection_limits {
    /// For a whole head, from its first byte on.
    milliseconds head_time = std::chrono::seconds{10};
    /// Between two requests, and before the first, until a request begins.
    milliseconds idle_time = std::chrono::seconds{30};
    /// Without progress while a body comes or goes. A reader that stands still is cut off after at most twice this time.
    milliseconds stall_time = std::chrono::seconds{30};
    /// False: nobody reads bodies. One of up to unread_body_max is read and dropped before its request is given out, so that
    /// a request with a malformed one is refused, and the answer to the others meets a client that has sent all. One that
    /// is longer, or for which the client waits to be asked, stays.
    bool wants_bodies = true;
    /// Of a body that the handler left unread; beyond it the connection ends, and when it takes longer than head_time.
    std::uint64_t unread_body_max = 64 * 1024;
    /// When this begins, idle connections end, and others after their present answer.
    net::drain* until = nullptr;
};

}  // namespace detail

/// What a server grants one connection.
struct server_limits : detail::connection_limits {
    server_limits() noexcept {}
    limits message;
};

/// The server's side of an HTTP/1.1 connection: requests in, responses out, in order. Pipelined requests are answered
/// one after the other, and their answers gathered while no input is awaited.
///
/// Malformed requests and heads that take too long are answered here (400, 408, 414, 431, 501, 505) and end the
/// connection. Errors of the stream (a reset, a peer that does not read) are thrown as std::system_error.
/// While it waits for a request it holds no buffer. One call at a time. Thread: the loop's thread only.
class server_connection {
public:
    explicit server_connection(net::tcp_stream stream, const server_limits& limits = server_limits());
    explicit server_connection(net::tls_stream stream, const server_limits& limits = server_limits());

    /// Waits for the next request. The answer to the one before has been begun and ended by then.
    ///
    /// Result:    its head, valid until the next call; null when the connection is over: close it with `close`. A
    ///            request that was refused here is over, too: see `refused`.
    ready_or_task<request_head*> next_request();

    /// Reads the request's body, after "100 Continue" where the client waits for it.
    /// Result: bytes read, 1..into.size(); 0 at the end of the body. Errors: std::system_error, timed_out among them, and
    /// errc::unexpected_end when the peer ended early or sent a malformed chunk.
    task<std::size_t> read_body(std::span<std::byte> into);

    /// Answers with a body in memory. Adds Date, Content-Length, and Connection where it is needed; to HEAD no body is
    /// sent. Throws std::invalid_argument for fields that must not be sent.
    ready_or_task<> respond(response_head head, std::string_view body);

    /// The same with a head that is prepared; `body` is all that it announces.
    ready_or_task<> respond(const prepared_head& head, std::string_view body);

    /// Begins an answer whose body follows by `write`: exactly `body_bytes` of them, or chunked when not known.
    void begin_response(response_head head, std::optional<std::uint64_t> body_bytes);
    void begin_response(const prepared_head& head);
    /// The next part of the body; ignored when the request was HEAD or the status has none (204, 304).
    task<> write(std::span<const std::byte> part);
    /// The next part of the body: `bytes` of a regular file from `offset` on; fewer when the file ends before. What is in
    /// memory goes from there to the socket (sendfile(2)), the rest, and under TLS everything, is read by the ring first,
    /// so that a disk holds up nobody else. `seen`: see net::send_file_from_memory.
    task<> write_file(io::fd_ref file, std::uint64_t offset, std::uint64_t bytes, net::seen_pages* seen = nullptr);
    /// Ends the body. When fewer bytes than announced were written, the connection is cut, so that the client notices.
    void end_response();

    /// Sends what is left, then ends the connection so that the last answer reaches the peer: half-closes, and drops
    /// what still comes, for at most two seconds. A connection that was idle is closed at once.
    task<> close();

    /// The present request is HEAD: no body need be written.
    bool head_only() const noexcept { return head_only_; }
    /// Of the present answer, that to a refused request among them: its status, nullopt before it has begun, and the
    /// bytes of its body that were sent, or wait to be sent with others. After a failed send, what the kernel took.
    std::optional<http::status> answered() const noexcept { return answered_; }
    std::uint64_t body_bytes_sent() const noexcept { return body_sent_; }
    /// After next_request gave null: what had come of the head of a request that was answered here, as far as it could be
    /// read (method and target may be empty or cut). Null when no request was refused.
    const request_head* refused() noexcept { return refused_ ? &parser_.head() : nullptr; }
    net::multishot_stream& stream() noexcept { return stream_; }

private:
    server_connection(net::tls_stream::parts parts, const server_limits& limits);
    std::span<const std::byte> input() const noexcept;
    void consume(std::size_t bytes) noexcept;
    void give_up_unread_body(http::status status) noexcept;
    void begin_head(http::status status);
    void put_head(response_head& head, std::optional<std::uint64_t> body_bytes);
    void put_head(const prepared_head& head);
    bool gathers(std::string_view body);
    task<> send_answer(std::string_view body);
    bool peer_has_said_all() const noexcept;
    bool peer_sends_no_more() const noexcept;
    void keep_input();
    auto receive_until(deadline until);
    task<bool> receive(deadline until, bool& timed_out);
    task<request_head*> finish_and_await_request();
    task<request_head*> await_request(event found);
    event read_head();
    request_head* begin_request() noexcept;
    bool unseal();
    net::tls_session::outcome read_sealed(std::span<std::byte> into);
    task<result<bool>> skip_body();
    task<bool> drop_body();
    task<bool> take_unwanted_body();
    void refuse(parse_error error);
    class unsent;
    static constexpr std::uint64_t not_announced = std::numeric_limits<std::uint64_t>::max();
    struct kept_input {
        std::string bytes;
        std::size_t consumed = 0;
    };
    task<> send(std::span<iovec> parts);
    task<> send_sealed(std::span<iovec> parts);
    task<> transmit(std::span<iovec> parts);
    task<> transmit_all(std::string& text);
    bool send_at_once(int flags = 0);
    task<> flush();
    task<> linger();

    net::multishot_stream stream_;
    std::unique_ptr<net::tls_session> tls_;
    detail::connection_limits limits_;
    request_parser parser_;
    // Input not yet read: in the one, or, under TLS and so that a slow reader holds few of the loop's buffers, in the other.
    io::buffer_lease lease_;
    std::unique_ptr<kept_input> kept_;
    std::string output_;                       // not yet sent
    std::uint64_t announced_ = not_announced;  // bytes of the present answer's body
    std::uint64_t body_read_ = 0;
    std::uint64_t body_sent_ = 0;
    std::optional<http::status> answered_;
    bool keep_alive_ = true;
    bool in_request_ = false;  // a head was given out and its body is not known to have ended
    bool head_only_ = false;
    bool skips_body_ = false;  // of the present answer: HEAD, or a status without body
    bool chunked_ = false;
    bool peer_closed_ = false;  // its side of the TLS session
    bool old_client_ = false;
    bool client_closes_ = false;  // after the present answer, by its own word
    bool must_continue_ = false;
    bool broken_ = false;
    bool refused_ = false;
    bool ended_idle_ = false;  // between two messages: no answer that a reset could destroy
};

}  // namespace ringlet::http
