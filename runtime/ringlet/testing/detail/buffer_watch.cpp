// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/buffer_watch.hpp>

#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define RINGLET_DETAIL_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RINGLET_DETAIL_POISON 1
#endif
#endif
#ifdef RINGLET_DETAIL_POISON
#include <sanitizer/asan_interface.h>
#endif

namespace ringlet::testing::detail {

void poison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef RINGLET_DETAIL_POISON
    ASAN_POISON_MEMORY_REGION(memory, bytes);
#endif
}

void unpoison([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef RINGLET_DETAIL_POISON
    ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
#endif
}

// The ends are enough: who writes where he must not seldom writes in the middle only, and all of it would cost more than
// the transfer.
std::uint64_t buffer_watch::fingerprint(const borrowed& b) noexcept {
    constexpr std::size_t end_bytes = 128;
    std::uint64_t sum = b.bytes;
    const auto add = [&sum](const std::byte* from, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
            std::uint64_t word = 0;
            std::memcpy(&word, from + i, bytes - i < sizeof word ? bytes - i : sizeof word);
            sum = (sum ^ word) * 0x9e3779b97f4a7c15U;
            sum ^= sum >> 32;
        }
    };
    if (b.bytes <= 2 * end_bytes) {
        add(b.memory, b.bytes);
    } else {
        add(b.memory, end_bytes);
        add(b.memory + b.bytes - end_bytes, end_bytes);
    }
    return sum;
}

void buffer_watch::writable(std::span<std::byte> memory) {
    if (!memory.empty()) all_.push_back({memory.data(), memory.size(), 0, true});
}

void buffer_watch::readable(std::span<const std::byte> memory) {
    if (!memory.empty()) all_.push_back({const_cast<std::byte*>(memory.data()), memory.size(), 0, false});
}

bool buffer_watch::is_as_it_was(const borrowed& b) noexcept {
#ifdef RINGLET_DETAIL_POISON
    // Memory that was freed must stay poisoned: AddressSanitizer has its own marks there. What we have poisoned ourselves
    // says nothing; what it knows of an address may be of a block that lay there before a mapping did.
    if (b.writable) {
        void* frame = nullptr;
        int thread = 0;
        if (__asan_get_free_stack(b.memory, &frame, 1, &thread) > 0) return false;
        unpoison(b.memory, b.bytes);
    } else if (__asan_region_is_poisoned(b.memory, b.bytes) != nullptr) {
        return false;
    }
#endif
    return fingerprint(b) == b.print;
}

bool buffer_watch::begin_access() noexcept {
    bool same = true;
    for (const borrowed& b : all_) same = is_as_it_was(b) && same;
    if (!same) all_.clear();
    return same;
}

void buffer_watch::end_access() noexcept {
    for (borrowed& b : all_) {
        b.print = fingerprint(b);
        if (b.writable) poison(b.memory, b.bytes);
    }
}

bool buffer_watch::release() noexcept {
    const bool same = begin_access();
    all_.clear();
    return same;
}

}  // namespace ringlet::testing::detail
