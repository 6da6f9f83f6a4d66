// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace ringlet::http {

/// What a call to feed() or finish() found.
enum class event : std::uint8_t {
    need_more,  ///< all input is taken; nothing to report before more bytes (or the end) come
    head,       ///< a head is complete: see head(), body_framing(), expects_continue()
    body,       ///< parse_result::body holds the next bytes of the body
    complete,   ///< the message has ended; what follows it has not been touched
    end,        ///< only from finish(): the peer ended between two messages, nothing is missing
    error,      ///< see error(); the parser is of no more use, and so is the connection
};

/// Why a message is refused.
struct parse_error {
    http::status status = http::status::bad_request;  ///< what a server answers; bad_gateway where a client parses
    std::string_view reason;                          ///< for people and logs; static storage
};

/// How the end of a body is found (RFC 9112 section 6.3).
enum class framing : std::uint8_t { none, length, chunked, until_close };

struct parse_result {
    std::size_t consumed = 0;           ///< bytes of the input taken by this call
    event what = event::need_more;      ///< what they amounted to
    std::span<const std::byte> body{};  ///< event::body only: a view into the input of this call, not empty
};

namespace detail {

/// What request_parser and response_parser have in common. Not for users.
class parser_base {
public:
    parser_base(parser_base&&) noexcept;
    parser_base& operator=(parser_base&&) noexcept;

    /// Reads on. Call it again with what was not consumed, until it says need_more; events that need no further byte
    /// (complete after a head without body) come with empty input too.
    ///
    /// Result:    one event at a time; see parse_result. Bytes after the end of a message are never taken: the call
    ///            after `complete` starts the next message.
    /// Errors:    event::error, and error() says which; every later call says the same.
    /// Lifetime:  `input` is borrowed for the call; a body view lives as long as the input does.
    parse_result feed(std::span<const std::byte> input);

    /// The peer has closed its sending side.
    ///
    /// Result:    end between messages, complete for a body delimited by the close, else error ("truncated").
    parse_result finish();

    /// What went wrong, after event::error.
    [[nodiscard]] const parse_error& error() const noexcept;
    /// From `head` on: whether the connection may carry another message after this one (RFC 9112 section 9.3).
    [[nodiscard]] bool keep_alive() const noexcept;
    /// From `head` on: how the body ends.
    [[nodiscard]] framing body_framing() const noexcept;
    /// From `head` on: bytes of the body where the head tells (framing none: 0).
    [[nodiscard]] std::optional<std::uint64_t> body_bytes() const noexcept;
    /// True when no byte of the next message has come: the connection may be closed without cutting anything.
    [[nodiscard]] bool idle() const noexcept;
    /// Of a body whose length the head tells: bytes that have not been fed. 0 for all others.
    [[nodiscard]] std::uint64_t unfed_bytes() const noexcept;
    /// So many of them, at most, went another way.
    void pass(std::uint64_t bytes) noexcept;
    /// Gives back all memory of an idle parser, its last head included; feed() takes it again. For connections that
    /// wait for long.
    void release_memory() noexcept;

protected:
    enum class direction : std::uint8_t { request, response };

    parser_base(direction d, const limits& bounds) noexcept;
    ~parser_base();
    [[nodiscard]] parser_core& core();

    struct give_back {
        void operator()(parser_core* core) const noexcept;
    };
    std::unique_ptr<parser_core, give_back> core_;
    limits limits_;
    direction direction_;
    friend class parser_core;
};

}  // namespace detail

/// Reads the requests that one connection carries (RFC 9112, strictly). Does no I/O.
///
/// What a server must refuse is refused with the status to answer: malformed lines, bare CR or LF, folded lines, spaces
/// before a colon, a missing, second or invalid Host, every ambiguity of length (400), unknown transfer codings and
/// methods (501), other major versions (505), and what exceeds the limits (413, 414, 431). After an error the caller
/// answers and closes.
class request_parser : public detail::parser_base {
public:
    explicit request_parser(const limits& bounds = {}) noexcept;

    /// The current head: from event::head until the feed() after event::complete. May be moved from.
    [[nodiscard]] request_head& head() noexcept;
    /// From `head` on: the client waits for "100 Continue" before it sends its body (RFC 9110 section 10.1.1).
    [[nodiscard]] bool expects_continue() const noexcept;
};

/// Reads the responses that one connection carries. Does no I/O.
///
/// As strict as request_parser about where a message ends; a missing reason phrase is accepted. An interim response
/// (1xx) is a message of its own, head and complete, and the final one follows.
class response_parser : public detail::parser_base {
public:
    explicit response_parser(const limits& bounds = limits::for_responses()) noexcept;

    /// Says which method the next responses answer (one to HEAD has no body). GET until told otherwise; call it before
    /// the first byte of the response is fed.
    void answers(method m) noexcept { method_ = m; }

    /// The current head: from event::head until the feed() after event::complete. May be moved from.
    [[nodiscard]] response_head& head() noexcept;
    /// From `head` on: the connection speaks another protocol after this message (101, or 2xx to CONNECT).
    [[nodiscard]] bool upgraded() const noexcept;

    parse_result feed(std::span<const std::byte> input);

private:
    method method_ = method::get;
};

}  // namespace ringlet::http
