// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/frame_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include <sys/resource.h>

using ringlet::detail::frame_pool;

namespace {

struct piece {
    void* memory;
    std::size_t bytes;
    unsigned char fill;
};

// Every frame that there still is where no more memory can be mapped, larger ones first.
std::vector<piece> exhaust() {
    std::vector<piece> pieces;
    pieces.reserve(100'000);
    rlimit before{};
    ::getrlimit(RLIMIT_AS, &before);
    const rlimit nothing_more{1, before.rlim_max};
    ::setrlimit(RLIMIT_AS, &nothing_more);
    for (std::size_t bytes = frame_pool::pooled_bytes_max; bytes > 0; bytes -= frame_pool::granule_bytes) {
        try {
            while (pieces.size() < pieces.capacity()) pieces.push_back({frame_pool::allocate(bytes), bytes, 0});
        } catch (const std::bad_alloc&) {
        }
    }
    ::setrlimit(RLIMIT_AS, &before);
    return pieces;
}

}  // namespace

TEST_CASE("frames of all sizes do not overlap, and are aligned", "[frame_pool]") {
    const auto before = frame_pool::live_count();
    std::vector<piece> pieces;
    unsigned seed = 1;
    for (int round = 0; round < 20'000; ++round) {
        seed = seed * 1664525u + 1013904223u;
        if (pieces.size() < 500 || seed >> 31) {
            const std::size_t bytes = 1 + (seed >> 8) % 3000;
            void* memory = frame_pool::allocate(bytes);
            REQUIRE(reinterpret_cast<std::uintptr_t>(memory) % __STDCPP_DEFAULT_NEW_ALIGNMENT__ == 0);
            const auto fill = static_cast<unsigned char>(round);
            std::memset(memory, fill, bytes);
            pieces.push_back({memory, bytes, fill});
        } else {
            std::swap(pieces[(seed >> 8) % pieces.size()], pieces.back());
            const piece p = pieces.back();
            pieces.pop_back();
            const auto* bytes = static_cast<const unsigned char*>(p.memory);
            REQUIRE(std::all_of(bytes, bytes + p.bytes, [&](unsigned char b) { return b == p.fill; }));
            frame_pool::release(p.memory, p.bytes);
        }
    }
    CHECK(frame_pool::live_count() == before + static_cast<std::int64_t>(pieces.size()));
    for (const piece& p : pieces) frame_pool::release(p.memory, p.bytes);
    CHECK(frame_pool::live_count() == before);
}

TEST_CASE("what one thread allocated another may release, and the next thread uses again", "[frame_pool]") {
    std::vector<void*> frames(1000);
    std::thread{[&] { std::ranges::generate(frames, [] { return frame_pool::allocate(128); }); }}.join();
    std::thread{[&] {
        for (void* f : frames) frame_pool::release(f, 128);
        for (void*& f : frames) f = frame_pool::allocate(128);
        std::ranges::sort(frames);
        CHECK(std::ranges::adjacent_find(frames) == frames.end());
        for (void* f : frames) frame_pool::release(f, 128);
    }}.join();
}

TEST_CASE("where memory runs out no frame is given out twice", "[frame_pool]") {
    if (!RINGLET_DETAIL_FRAME_POOL) return;
    std::thread{[] {
        void* first = frame_pool::allocate(48);
        std::vector<piece> pieces = exhaust();
        REQUIRE(!pieces.empty());
        std::ranges::sort(pieces, {}, &piece::memory);
        const auto overlap = std::ranges::adjacent_find(pieces, [](const piece& a, const piece& b) {
            return static_cast<std::byte*>(a.memory) + a.bytes > static_cast<std::byte*>(b.memory);
        });
        CHECK(overlap == pieces.end());
        for (const piece& p : pieces) frame_pool::release(p.memory, p.bytes);
        frame_pool::release(first, 48);
    }}.join();
}
