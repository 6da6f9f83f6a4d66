// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace ringlet::testing::detail {

/// Bytes, first in, first out.
class byte_queue {
public:
    void append(std::span<const std::byte> more) {
        // What is consumed is at least as much as what is moved: a byte is moved once on the average.
        if (consumed_ > 0 && consumed_ >= size()) {
            bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(consumed_));
            consumed_ = 0;
        }
        bytes_.insert(bytes_.end(), more.begin(), more.end());
    }
    std::size_t size() const noexcept { return bytes_.size() - consumed_; }
    bool empty() const noexcept { return size() == 0; }
    /// Copies the first bytes, as many as there are and fit; they stay.
    std::size_t copy(std::span<std::byte> to) const noexcept {
        const std::size_t n = std::min(to.size(), size());
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(consumed_), n, to.begin());
        return n;
    }
    /// Copies what follows the first `offset` bytes.
    std::size_t copy(std::size_t offset, std::span<std::byte> to) const noexcept {
        const std::size_t from = std::min(offset, size());
        const std::size_t n = std::min(to.size(), size() - from);
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(consumed_ + from), n, to.begin());
        return n;
    }
    void consume(std::size_t n) noexcept {
        consumed_ += std::min(n, size());
        if (!empty()) return;
        bytes_.clear();
        consumed_ = 0;
    }
    void clear() noexcept { consume(size()); }

private:
    std::vector<std::byte> bytes_;
    std::size_t consumed_ = 0;
};

}  // namespace ringlet::testing::detail
