// SPDX-License-Identifier: MIT
#include "digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>

#include <openssl/evp.h>

namespace apps {
namespace {

struct known_algorithm {
    digest_algorithm which;
    std::string_view name;
    const EVP_MD* (*method)();
    std::size_t bytes;
};

constexpr std::array algorithms{
    known_algorithm{digest_algorithm::sha256, "sha256", &EVP_sha256, 32},
    known_algorithm{digest_algorithm::sha512, "sha512", &EVP_sha512, 64},
    known_algorithm{digest_algorithm::sha1, "sha1", &EVP_sha1, 20},
    known_algorithm{digest_algorithm::md5, "md5", &EVP_md5, 16},
};

const known_algorithm& find(digest_algorithm which) noexcept {
    return *std::ranges::find(algorithms, which, &known_algorithm::which);
}

std::string in_lower_case(std::string_view text) {
    std::string lower{text};
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

EVP_MD_CTX* of(void* context) noexcept { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

std::string_view name_of(digest_algorithm which) noexcept { return find(which).name; }

std::optional<wanted_digest> parse_digest(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos) return std::nullopt;
    const std::string name = in_lower_case(text.substr(0, colon));
    auto found = parse_hex_digest(text.substr(colon + 1));
    if (!found || name_of(found->algorithm) != name) return std::nullopt;
    return found;
}

std::optional<wanted_digest> parse_hex_digest(std::string_view hex) {
    std::string digits = in_lower_case(hex);
    if (digits.find_first_not_of("0123456789abcdef") != digits.npos) return std::nullopt;
    const auto* const known =
        std::ranges::find(algorithms, digits.size(), [](const known_algorithm& a) { return 2 * a.bytes; });
    if (known == algorithms.end()) return std::nullopt;
    return wanted_digest{known->which, std::move(digits)};
}

std::string to_hex(std::string_view value) {
    const std::span bytes{reinterpret_cast<const unsigned char*>(value.data()), value.size()};
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

void digest::free_context::operator()(void* context) const noexcept { EVP_MD_CTX_free(of(context)); }

digest::digest(digest_algorithm which) : context_{EVP_MD_CTX_new()} {
    if (!context_ || EVP_DigestInit_ex(of(context_.get()), find(which).method(), nullptr) != 1) throw std::bad_alloc{};
}

void digest::update(std::span<const std::byte> bytes) noexcept {
    EVP_DigestUpdate(of(context_.get()), bytes.data(), bytes.size());
}

std::string digest::hex() { return to_hex(value()); }

std::string digest::value() {
    std::string value(EVP_MAX_MD_SIZE, '\0');
    unsigned bytes = 0;
    EVP_DigestFinal_ex(of(context_.get()), reinterpret_cast<unsigned char*>(value.data()), &bytes);
    value.resize(bytes);
    return value;
}

digest digest::twin() const {
    digest made;
    made.context_.reset(EVP_MD_CTX_new());
    if (!made.context_ || EVP_MD_CTX_copy_ex(of(made.context_.get()), of(context_.get())) != 1) throw std::bad_alloc{};
    return made;
}

}  // namespace apps
