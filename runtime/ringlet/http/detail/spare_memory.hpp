// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace ringlet::http::detail {

// Answers to pipelined requests are gathered up to this size.
inline constexpr std::size_t gathered_bytes_max = std::size_t{64} * 1024;
// Plaintext of a TLS record (RFC 8446 section 5.1), what it may grow by (section 5.2), and how much is sealed before it is sent.
inline constexpr std::size_t record_bytes = std::size_t{16} * 1024;
inline constexpr std::size_t record_overhead_max = 256;
inline constexpr std::size_t sealed_bytes_max = std::size_t{64} * 1024;

/// How much room so many bytes need once they are sealed.
constexpr std::size_t sealed_room(std::size_t bytes) noexcept {
    return bytes + record_overhead_max * (bytes / record_bytes + 1);
}

/// Memory of answers that are sent, for the next ones of any connection: who waits for a request holds none, and who has
/// got one need not ask for it anew.
class spare_memory {
public:
    void put(std::string& text) noexcept {
        static const std::size_t without_memory = std::string{}.capacity();
        if (text.capacity() == without_memory) return;
        text.clear();
        if (count_ < texts_.size() && text.capacity() <= kept_bytes_max) texts_[count_++] = std::move(text);
        std::string{}.swap(text);  // an assignment would keep it
    }
    void take(std::string& into) noexcept {
        if (count_ > 0 && into.empty() && into.capacity() < texts_[count_ - 1].capacity())
            into = std::move(texts_[--count_]);
    }

private:
    static constexpr std::size_t kept_bytes_max = std::max(gathered_bytes_max, sealed_room(sealed_bytes_max));
    std::array<std::string, 128> texts_;
    std::size_t count_ = 0;
};
inline thread_local spare_memory spare_outputs;

}  // namespace ringlet::http::detail
