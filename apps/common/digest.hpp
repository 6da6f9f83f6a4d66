// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace apps {

enum class digest_algorithm : std::uint8_t { sha256, sha512, sha1, md5 };

/// A digest that somebody announced.
struct wanted_digest {
    digest_algorithm algorithm;
    std::string hex;  ///< in lower case, as long as the algorithm's

    [[nodiscard]] bool operator==(const wanted_digest&) const = default;
};

/// "sha256", as it is written before a digest.
[[nodiscard]] std::string_view name_of(digest_algorithm which) noexcept;
/// SHA-1 and MD5: they find damage, but whoever wants to can make another file with the same digest.
[[nodiscard]] constexpr bool is_weak(digest_algorithm which) noexcept { return which >= digest_algorithm::sha1; }

/// Reads "sha256:HEX", in either case; nullopt for anything else.
[[nodiscard]] std::optional<wanted_digest> parse_digest(std::string_view text);

/// The same without the algorithm's name, which the number of digits tells.
[[nodiscard]] std::optional<wanted_digest> parse_hex_digest(std::string_view hex);

/// The value of a digest in lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(std::string_view value);

/// A digest in the making. Move-only. Any thread, one at a time.
class digest {
public:
    /// Throws std::bad_alloc.
    explicit digest(digest_algorithm which);

    void update(std::span<const std::byte> bytes) noexcept;
    /// Of all bytes so far, in lower case. Nothing can be added after it.
    [[nodiscard]] std::string hex();
    /// The same as bytes.
    [[nodiscard]] std::string value();
    /// One that goes on from here by itself. Throws std::bad_alloc.
    [[nodiscard]] digest twin() const;

private:
    digest() noexcept = default;
    struct free_context {
        void operator()(void* context) const noexcept;
    };
    std::unique_ptr<void, free_context> context_;
};

}  // namespace apps
