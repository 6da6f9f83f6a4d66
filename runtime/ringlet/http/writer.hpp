// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/message.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ringlet::http {

/// Writes a head into memory of the caller, piece by piece, without allocating.
///
/// What must not go out (CR, LF, NUL or another control in a value, a name that is no token) and what does not fit is
/// not written: ok() turns false, and stays so. Nothing is sent in that case.
class head_writer {
public:
    /// `buffer` is borrowed for the writer's life.
    explicit head_writer(std::span<char> buffer) noexcept : buffer_{buffer} {}

    /// "HTTP/1.1 200 OK"; the registered phrase when `reason` is empty (RFC 9112 section 4).
    head_writer& status_line(status s, std::string_view reason = {}, version v = version::http_1_1) noexcept;
    /// "GET /path HTTP/1.1" (RFC 9112 section 3). `target` is visible ASCII, not empty.
    head_writer& request_line(std::string_view method, std::string_view target, version v = version::http_1_1) noexcept;
    head_writer& field(std::string_view name, std::string_view value) noexcept;
    head_writer& field(std::string_view name, std::uint64_t value) noexcept;
    head_writer& all(const fields& f) noexcept;
    /// The empty line that ends the head.
    head_writer& end() noexcept;

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    /// Bytes written so far; meaningless when not ok().
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view text() const noexcept { return {buffer_.data(), size_}; }

private:
    head_writer& put(std::string_view piece) noexcept;
    head_writer& check(bool good) noexcept;

    std::span<char> buffer_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

/// Appends the head and its empty line to `out`.
///
/// Errors:    std::invalid_argument names the first thing that must not be sent (see head_writer); `out` is unchanged.
void append_head(std::string& out, const request_head& head);
void append_head(std::string& out, const response_head& head);

/// A response's head that is sent many times, checked and written once. Date and Connection, which differ, are added by
/// the server's connection.
class prepared_head {
public:
    /// Adds Content-Length. Errors: as append_head.
    prepared_head(response_head head, std::uint64_t body_bytes);

    [[nodiscard]] http::status status() const noexcept { return status_; }
    [[nodiscard]] std::uint64_t body_bytes() const noexcept { return body_bytes_; }
    /// Up to the value of Date, which is the last of these fields.
    [[nodiscard]] std::string_view text() const noexcept { return text_; }

private:
    http::status status_;
    std::uint64_t body_bytes_;
    std::string text_;
};

/// The line before the data of a chunk (RFC 9112 section 7.1). The data is followed by `chunk_end`, the last chunk's
/// data by `chunk_end` and the whole body by `last_chunk`.
class chunk_line {
public:
    /// `data_bytes` > 0: a chunk of 0 bytes would end the body.
    explicit chunk_line(std::size_t data_bytes) noexcept;
    [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 18> text_;
    std::size_t size_;
};

inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace ringlet::http
