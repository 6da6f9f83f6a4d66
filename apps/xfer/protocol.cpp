// SPDX-License-Identifier: MIT
#include "xfer/protocol.hpp"

#include <ringlet/core/bytes.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace xfer {
namespace {

constexpr std::size_t request_fixed_bytes = 8 + sha256_bytes;
constexpr std::size_t offer_bytes = 8 + 8 + 8 + 4;

template <class T>
void append(std::string& to, T value) {
    using bits = std::make_unsigned_t<T>;
    for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
        to += static_cast<char>(static_cast<bits>(value) >> shift);
}

// Takes a number from the front, where there is room for it.
template <class T>
T take(std::string_view& from) noexcept {
    std::make_unsigned_t<T> value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<decltype(value)>((value << 8) | static_cast<unsigned char>(from[i]));
    from.remove_prefix(sizeof(T));
    return static_cast<T>(value);
}

std::string frame(frame_type type, std::string_view payload) {
    std::string bytes;
    bytes.reserve(frame_head_bytes + payload.size());
    bytes += static_cast<char>(type);
    append(bytes, static_cast<std::uint32_t>(payload.size()));
    return bytes.append(payload);
}

struct bounds {
    std::size_t min;
    std::size_t max;
};

// How long the payload of a frame may be; {1, 0} for what is no frame.
constexpr bounds bounds_of(frame_type type) noexcept {
    switch (type) {
        case frame_type::request:
            return {request_fixed_bytes + 1, request_fixed_bytes + name_bytes_max};
        case frame_type::wait:
            return {0, 0};
        case frame_type::refusal:
            return {2, 2 + text_bytes_max};
        case frame_type::offer:
            return {offer_bytes, offer_bytes};
        case frame_type::data:
            return {1, data_bytes_max};
        case frame_type::end:
            return {2 + sha256_bytes, 2 + sha256_bytes};
        case frame_type::receipt:
            return {2, 2};
    }
    return {1, 0};
}

bool fits(frame_type type, std::size_t bytes) noexcept {
    const bounds allowed = bounds_of(type);
    return bytes >= allowed.min && bytes <= allowed.max;
}

}  // namespace

std::string_view text_of(status what) noexcept {
    switch (what) {
        case status::ok:
            return "ok";
        case status::not_found:
            return "not found, or not for you";
        case status::bad_request:
            return "malformed request";
        case status::bad_version:
            return "unknown version of the protocol";
        case status::busy:
            return "too busy, try later";
        case status::failed:
            return "the file cannot be read";
        case status::changed:
            return "the file changed while it was sent";
        case status::damaged:
            return "what came is not what was sent";
        case status::not_kept:
            return "could not be written";
    }
    return "unknown status";
}

std::string encode_preamble(std::uint16_t version) {
    std::string bytes{magic};
    append(bytes, version);
    return bytes;
}

std::string encode(const request& what) {
    std::string payload;
    append(payload, what.offset);
    payload += what.prefix;
    payload.resize(request_fixed_bytes);
    return frame(frame_type::request, payload += what.name);
}

std::string encode(const offer& what) {
    std::string payload;
    append(payload, what.size);
    append(payload, what.start);
    append(payload, what.modified_seconds);
    append(payload, what.modified_nanoseconds);
    return frame(frame_type::offer, payload);
}

std::string encode(const ending& what) {
    std::string payload;
    append(payload, static_cast<std::uint16_t>(what.how));
    payload += what.sha256;
    payload.resize(2 + sha256_bytes);
    return frame(frame_type::end, payload);
}

std::string encode(const refusal& what) {
    std::string payload;
    append(payload, static_cast<std::uint16_t>(what.why));
    return frame(frame_type::refusal, payload += what.text.substr(0, text_bytes_max));
}

std::string encode_wait() { return frame(frame_type::wait, {}); }

std::string encode_receipt(status how) {
    std::string payload;
    append(payload, static_cast<std::uint16_t>(how));
    return frame(frame_type::receipt, payload);
}

std::string encode_data_head(std::uint32_t bytes) {
    std::string head{static_cast<char>(frame_type::data)};
    append(head, bytes);
    return head;
}

std::optional<request> decode_request(std::string_view payload) {
    if (!fits(frame_type::request, payload.size())) return std::nullopt;
    request what;
    what.offset = take<std::uint64_t>(payload);
    const std::string_view prefix = payload.substr(0, sha256_bytes);
    if (what.offset > 0)
        what.prefix = prefix;
    else if (prefix.find_first_not_of('\0') != prefix.npos)
        return std::nullopt;
    what.name = payload.substr(sha256_bytes);
    return what;
}

std::optional<offer> decode_offer(std::string_view payload) {
    if (!fits(frame_type::offer, payload.size())) return std::nullopt;
    offer what;
    what.size = take<std::uint64_t>(payload);
    what.start = take<std::uint64_t>(payload);
    what.modified_seconds = take<std::int64_t>(payload);
    what.modified_nanoseconds = take<std::uint32_t>(payload);
    if (what.start > what.size || what.modified_nanoseconds >= 1'000'000'000) return std::nullopt;
    return what;
}

std::optional<ending> decode_ending(std::string_view payload) {
    if (!fits(frame_type::end, payload.size())) return std::nullopt;
    ending what;
    what.how = static_cast<status>(take<std::uint16_t>(payload));
    what.sha256 = payload;
    return what;
}

std::optional<refusal> decode_refusal(std::string_view payload) {
    if (!fits(frame_type::refusal, payload.size())) return std::nullopt;
    refusal what;
    what.why = static_cast<status>(take<std::uint16_t>(payload));
    what.text = payload;
    return what;
}

std::optional<status> decode_receipt(std::string_view payload) {
    if (!fits(frame_type::receipt, payload.size())) return std::nullopt;
    return static_cast<status>(take<std::uint16_t>(payload));
}

std::size_t frame_reader::missing() const noexcept {
    if (data_left_ > 0) return data_left_;
    return wanted_ - (part_is_old_ ? 0 : part_.size());
}

frame_reader::step frame_reader::fail(std::size_t consumed, std::string_view why) noexcept {
    place_ = place::broken;
    wrong_ = why;
    return next(consumed, event::error);
}

frame_reader::step frame_reader::head_has_come(std::size_t consumed) {
    std::string_view head = part_;
    type_ = static_cast<frame_type>(take<std::uint8_t>(head));
    const auto bytes = take<std::uint32_t>(head);
    const bounds allowed = bounds_of(type_);
    if (allowed.min > allowed.max) return fail(consumed, "a frame of an unknown type");
    if (!fits(type_, bytes)) return fail(consumed, "a frame of a length that its type cannot have");
    part_.clear();
    if (type_ == frame_type::data) {
        data_left_ = bytes;
        return next(consumed, event::data);
    }
    if (bytes == 0) return next(consumed, event::frame);
    wanted_ = bytes;
    place_ = place::payload;
    return next(consumed, event::need_more);
}

frame_reader::step frame_reader::feed(std::span<const std::byte> bytes) {
    if (place_ == place::broken) return next(0, event::error);
    if (data_left_ > 0) {
        const auto piece = bytes.first(std::min(bytes.size(), data_left_));
        data_left_ -= piece.size();
        return {piece.empty() ? event::need_more : event::piece, piece.size(), piece};
    }
    if (std::exchange(part_is_old_, false)) part_.clear();
    std::size_t consumed = 0;
    for (;;) {
        const std::size_t taken = std::min(bytes.size() - consumed, wanted_ - part_.size());
        part_ += ringlet::as_text(bytes.subspan(consumed, taken));
        consumed += taken;
        if (place_ == place::preamble && !magic.starts_with(std::string_view{part_}.substr(0, magic.size())))
            return fail(consumed, "this is not the protocol of ringlet-xfer");
        if (part_.size() < wanted_) return next(consumed, event::need_more);
        if (place_ == place::preamble) {
            std::string_view number = std::string_view{part_}.substr(magic.size());
            version_ = take<std::uint16_t>(number);
            part_.clear();
            wanted_ = frame_head_bytes;
            place_ = place::head;
            return next(consumed, event::preamble);
        }
        if (place_ == place::payload) {
            wanted_ = frame_head_bytes;
            place_ = place::head;
            part_is_old_ = true;
            return next(consumed, event::frame);
        }
        const step found = head_has_come(consumed);
        if (found.what != event::need_more) return found;
    }
}

std::optional<bool> is_refusal(std::span<const std::byte> answer) {
    constexpr auto refuses = static_cast<std::byte>(frame_type::refusal);
    if (answer.size() > preamble_bytes && answer[preamble_bytes] != refuses) return false;
    frame_reader reader;
    while (!answer.empty()) {
        const frame_reader::step found = reader.feed(answer);
        answer = answer.subspan(found.consumed);
        if (found.what == frame_reader::event::need_more || found.what == frame_reader::event::preamble) continue;
        return found.what == frame_reader::event::frame && decode_refusal(reader.payload()) && answer.empty();
    }
    return std::nullopt;
}

}  // namespace xfer
