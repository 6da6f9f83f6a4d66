// SPDX-License-Identifier: MIT
#include <ringlet/http/detail/characters.hpp>
#include <ringlet/http/writer.hpp>

#include <cassert>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace ringlet::http {

namespace {

constexpr std::string_view name_of(version v) noexcept { return v == version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1"; }

std::size_t bytes_of(const fields& f) noexcept {
    std::size_t sum = 0;
    for (const auto& field : f) sum += field.name.size() + field.value.size() + 4;
    return sum;
}

void refuse_bad_fields(const fields& f) {
    for (const auto& field : f) {
        if (!is_valid_field_name(field.name))
            throw std::invalid_argument{"http: not a header name: '" + std::string{field.name} + "'"};
        if (!is_valid_field_value(field.value))
            throw std::invalid_argument{"http: control character in the value of " + std::string{field.name}};
    }
}

// Writes behind `out` with `write`, which gets a head_writer with room for `bytes_max`.
template <typename Write>
void append(std::string& out, std::size_t bytes_max, std::string_view what, Write write) {
    const std::size_t before = out.size();
    out.resize(before + bytes_max);
    head_writer writer{std::span{out}.subspan(before)};
    write(writer);
    out.resize(before + (writer.ok() ? writer.size() : 0));
    if (!writer.ok()) throw std::invalid_argument{"http: " + std::string{what} + " must not be sent"};
}

}  // namespace

head_writer& head_writer::check(bool good) noexcept {
    ok_ = ok_ && good;
    return *this;
}

head_writer& head_writer::put(std::string_view piece) noexcept {
    if (piece.size() > buffer_.size() - size_) return check(false);
    if (!ok_ || piece.empty()) return *this;
    std::memcpy(buffer_.data() + size_, piece.data(), piece.size());
    size_ += piece.size();
    return *this;
}

head_writer& head_writer::status_line(status s, std::string_view reason, version v) noexcept {
    const unsigned code = to_number(s);
    const std::array<char, 5> digits{' ', static_cast<char>('0' + code / 100 % 10),
                                     static_cast<char>('0' + code / 10 % 10), static_cast<char>('0' + code % 10), ' '};
    check(code >= 100 && code <= 999 && is_valid_field_value(reason));
    put(name_of(v)).put({digits.data(), digits.size()});
    return put(reason.empty() ? reason_phrase(s) : reason).put("\r\n");
}

head_writer& head_writer::request_line(std::string_view method, std::string_view target, version v) noexcept {
    check(is_valid_field_name(method) && detail::all_of(target, detail::target_char));
    return put(method).put(" ").put(target).put(" ").put(name_of(v)).put("\r\n");
}

head_writer& head_writer::field(std::string_view name, std::string_view value) noexcept {
    check(is_valid_field_name(name) && is_valid_field_value(value));
    return put(name).put(": ").put(value).put("\r\n");
}

head_writer& head_writer::field(std::string_view name, std::uint64_t value) noexcept {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return field(name, std::string_view{digits.data(), end});
}

head_writer& head_writer::all(const fields& f) noexcept {
    for (const auto& each : f) field(each.name, each.value);
    return *this;
}

head_writer& head_writer::end() noexcept { return put("\r\n"); }

void append_head(std::string& out, const request_head& head) {
    refuse_bad_fields(head.fields);
    const auto method = head.method == method::other ? std::string_view{head.method_text} : to_string(head.method);
    append(out, method.size() + head.target.size() + 14 + bytes_of(head.fields), "the method or target",
           [&](head_writer& w) { w.request_line(method, head.target, head.version).all(head.fields).end(); });
}

void append_head(std::string& out, const response_head& head) {
    refuse_bad_fields(head.fields);
    const auto reason = head.reason.empty() ? reason_phrase(head.status) : std::string_view{head.reason};
    append(out, reason.size() + 17 + bytes_of(head.fields), "the status line",
           [&](head_writer& w) { w.status_line(head.status, reason, head.version).all(head.fields).end(); });
}

prepared_head::prepared_head(response_head head, std::uint64_t body_bytes)
    : status_{head.status}, body_bytes_{body_bytes} {
    head.fields.set("Content-Length", std::to_string(body_bytes));
    append_head(text_, head);
    text_.resize(text_.size() - 2);
    text_ += "Date: ";
}

chunk_line::chunk_line(std::size_t data_bytes) noexcept {
    assert(data_bytes > 0 && "a chunk of 0 bytes ends the body: send last_chunk for that");
    char* end = std::to_chars(text_.data(), text_.data() + 16, data_bytes, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    size_ = static_cast<std::size_t>(end - text_.data());
}

}  // namespace ringlet::http
