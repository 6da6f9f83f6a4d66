// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The protocol of ringlet-xfer as docs/xfer-protocol.md has it: what is sent, as bytes. Does no I/O.
namespace xfer {

inline constexpr std::string_view magic = "RINGXFER";
inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::size_t name_bytes_max = 4096;
inline constexpr std::size_t text_bytes_max = 1024;
inline constexpr std::uint32_t data_bytes_max = std::uint32_t{1} << 20;  ///< of one frame
inline constexpr std::size_t preamble_bytes = 10;
inline constexpr std::size_t frame_head_bytes = 5;
inline constexpr std::size_t sha256_bytes = 32;
/// Of an answer that refuses: that is all of it.
inline constexpr std::size_t refusal_bytes_max = preamble_bytes + frame_head_bytes + 2 + text_bytes_max;

enum class status : std::uint16_t {
    ok = 0,
    not_found = 1,  ///< or not for this client: nobody outside sees the difference
    bad_request = 2,
    bad_version = 3,
    busy = 4,
    failed = 5,    ///< the server could not read
    changed = 6,   ///< the file, while it was sent
    damaged = 7,   ///< of a receipt: what came is not what was sent
    not_kept = 8,  ///< of a receipt: it could not be written
};
/// What to say to people.
[[nodiscard]] std::string_view text_of(status what) noexcept;

enum class frame_type : std::uint8_t {
    request = 'G',
    wait = 'W',
    refusal = 'R',
    offer = 'O',
    data = 'D',
    end = 'E',
    receipt = 'A',
};

/// A client asks for a file, or for the rest of it.
struct request {
    std::string name;
    std::uint64_t offset = 0;  ///< so many bytes it has
    std::string prefix;        ///< their SHA-256, where it has some
    bool operator==(const request&) const = default;
};
/// A server has it.
struct offer {
    std::uint64_t size = 0;
    std::uint64_t start = 0;  ///< the first byte that comes: the offset that was asked for, or 0
    std::int64_t modified_seconds = 0;
    std::uint32_t modified_nanoseconds = 0;
    bool operator==(const offer&) const = default;
};
/// All was sent, or it ends here.
struct ending {
    status how = status::ok;
    std::string sha256;  ///< of the whole file; zeros unless `how` is ok
    bool operator==(const ending&) const = default;
};
struct refusal {
    status why = status::failed;
    std::string text;  ///< for people
    bool operator==(const refusal&) const = default;
};

[[nodiscard]] std::string encode_preamble(std::uint16_t version = protocol_version);
[[nodiscard]] std::string encode(const request& what);
[[nodiscard]] std::string encode(const offer& what);
[[nodiscard]] std::string encode(const ending& what);
[[nodiscard]] std::string encode(const refusal& what);
[[nodiscard]] std::string encode_wait();
[[nodiscard]] std::string encode_receipt(status how);
/// What stands before the bytes of a data frame.
[[nodiscard]] std::string encode_data_head(std::uint32_t bytes);

/// The payload of a frame of that type, read strictly: nullopt for anything that `encode` does not write.
[[nodiscard]] std::optional<request> decode_request(std::string_view payload);
[[nodiscard]] std::optional<offer> decode_offer(std::string_view payload);
[[nodiscard]] std::optional<ending> decode_ending(std::string_view payload);
[[nodiscard]] std::optional<refusal> decode_refusal(std::string_view payload);
[[nodiscard]] std::optional<status> decode_receipt(std::string_view payload);

/// Whether an answer that begins so refuses; nullopt where more has to come to tell: never once refusal_bytes_max have.
[[nodiscard]] std::optional<bool> is_refusal(std::span<const std::byte> answer);

/// Reads one side of a connection, however it is cut: the preamble, then frames.
class frame_reader {
public:
    enum class event : std::uint8_t {
        need_more,
        preamble,  ///< see version()
        frame,     ///< one that has all come; see type() and payload()
        data,      ///< the head of a data frame has come: missing() bytes follow
        piece,     ///< some of those, see step
        error,     ///< this is not the protocol, for good; see what()
    };
    struct step {
        event what = event::need_more;
        std::size_t consumed = 0;            ///< of what was fed
        std::span<const std::byte> piece{};  ///< of a data frame, within what was fed
    };

    /// Takes bytes up to the next event.
    step feed(std::span<const std::byte> bytes);
    /// So many bytes, at least one, and not more than come up to the next event: who reads no more reads nothing in vain.
    [[nodiscard]] std::size_t missing() const noexcept;
    /// So many bytes of a data frame, missing() at most, have gone another way.
    void pass(std::size_t bytes) noexcept { data_left_ -= bytes; }
    /// Whether the bytes of a data frame come next.
    [[nodiscard]] bool within_data() const noexcept { return data_left_ > 0; }

    [[nodiscard]] std::uint16_t version() const noexcept { return version_; }
    [[nodiscard]] frame_type type() const noexcept { return type_; }
    /// Valid until the next feed.
    [[nodiscard]] std::string_view payload() const noexcept { return part_; }
    [[nodiscard]] std::string_view what() const noexcept { return wrong_; }

private:
    enum class place : std::uint8_t { preamble, head, payload, broken };
    step next(std::size_t consumed, event what) noexcept { return {what, consumed, {}}; }
    step fail(std::size_t consumed, std::string_view why) noexcept;
    step head_has_come(std::size_t consumed);

    place place_ = place::preamble;
    frame_type type_{};
    bool part_is_old_ = false;  // it was given out
    std::uint16_t version_ = 0;
    std::size_t wanted_ = preamble_bytes;  // of part_
    std::size_t data_left_ = 0;
    std::string part_;
    std::string_view wrong_;
};

}  // namespace xfer
