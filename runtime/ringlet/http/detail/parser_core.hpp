// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/detail/chunk_gate.hpp>
#include <ringlet/http/detail/head_gate.hpp>
#include <ringlet/http/framing.hpp>
#include <ringlet/http/message.hpp>
#include <ringlet/http/parser.hpp>

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringlet::http::detail {

/// One message after the other through llhttp, with the gates in front of it.
///
/// llhttp sees heads, chunk sizes, chunk data and trailers, never a byte that a gate has not let through; bodies with a
/// length or until the close, and chunk extensions, it need not see. Where it finds the end of a head, a chunk or a
/// trailer section at another place than the gates do, the message is refused: two readings of one message are what
/// request smuggling lives on.
class parser_core {
public:
    parser_core(bool is_request, const limits& bounds) noexcept;
    parser_core(const parser_core&) = delete;
    parser_core& operator=(const parser_core&) = delete;

    /// As new, in the memory that it has.
    void restart(bool is_request, const limits& bounds) noexcept;
    /// Bytes that its heads hold.
    [[nodiscard]] std::size_t memory() const noexcept;

    parse_result feed(std::span<const std::byte> input);
    parse_result finish();
    std::uint64_t unfed_bytes() const noexcept;
    void pass(std::uint64_t bytes) noexcept;
    [[nodiscard]] bool idle() const noexcept;

    request_head request;
    response_head response;
    method answered_method = method::get;
    parse_error error;
    body_plan plan;
    bool keep_alive = false;
    bool upgraded = false;
    bool expects_continue = false;

private:
    enum class phase : std::uint8_t {
        head,
        length,
        until_close,
        chunk_size,
        chunk_data,
        chunk_end,
        trailer,
        complete,  // event::complete is still to be told
        over,      // told; the next byte starts a new message
        failed,
    };

    static const llhttp_settings_t& settings();
    void on_name(std::string_view piece);
    void on_value(std::string_view piece);
    void on_value_complete();

    void start_message() noexcept;
    parse_result step(std::span<const std::byte> input);
    bool execute_head(std::string_view input);
    parse_result feed_head(std::string_view input);
    parse_result finish_head(std::size_t consumed);
    bool take_head();
    parse_result feed_body(std::span<const std::byte> input);
    parse_result feed_chunk_size(std::string_view input);
    parse_result feed_chunk_data(std::span<const std::byte> input);
    parse_result feed_chunk_end(std::string_view input);
    parse_result feed_trailer(std::string_view input);
    parse_result fail(std::size_t consumed, parse_error why) noexcept;
    parse_result fail(std::size_t consumed, std::string_view reason) noexcept;
    [[nodiscard]] http::fields& current_fields() noexcept { return is_request_ ? request.fields : response.fields; }

    limits limits_;
    llhttp_t llhttp_{};
    head_gate head_gate_;
    chunk_gate chunk_gate_;
    std::uint64_t remaining_ = 0;   // of the body or of the chunk
    std::uint64_t body_bytes_ = 0;  // data of all chunks so far
    phase phase_ = phase::over;
    bool is_request_;
    std::uint8_t chunk_end_bytes_ = 0;
    // What llhttp reported last.
    bool saw_head_ = false;
    bool saw_chunk_size_ = false;
    bool saw_chunk_end_ = false;
    bool saw_message_end_ = false;
    bool in_name_ = false;
};

}  // namespace ringlet::http::detail
