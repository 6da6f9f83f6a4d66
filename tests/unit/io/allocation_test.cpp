// SPDX-License-Identifier: MIT
// Awaiting an operation, adapted or not, allocates nothing: neither from operator new nor from the frame pool.
#include "core/support.hpp"
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include <sys/socket.h>

namespace {

std::atomic<long> allocations = 0;

}  // namespace

void* operator new(std::size_t bytes) {
    ++allocations;
    if (void* memory = std::malloc(bytes)) return memory;
    throw std::bad_alloc{};
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    ++allocations;
    const auto line = static_cast<std::size_t>(alignment);
    if (void* memory = std::aligned_alloc(line, (bytes + line - 1) / line * line)) return memory;
    throw std::bad_alloc{};
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {  // else a sanitizer's own
    ++allocations;
    return std::malloc(bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace ringlet_tests;
using ringlet::as_result;
using ringlet::shield;
using ringlet::sleep;
using ringlet::task;
using ringlet::with_timeout;
using namespace ringlet::io;

namespace {

using ringlet::detail::frame_pool;

/// What one round of awaits allocates, after a first round that may fill the timer heap and the like.
struct reading {
    long before = 0;
    std::int64_t frames = 0;
    void begin() {
        frames = frame_pool::live_count();
        before = allocations;
    }
    long taken() const { return allocations - before; }
    bool no_frame() const { return frame_pool::live_count() == frames; }
};

/// The heads of the pool's free lists: a frame that was taken and released leaves them in another order, or longer.
std::array<frame_pool::free_node*, frame_pool::classes> free_lists() { return ringlet::detail::this_thread_pool.free; }

}  // namespace

TEST_CASE("awaiting an operation allocates nothing, whatever is around it", "[allocation]") {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const owned_fd a{ends[0]};
    const owned_fd b{ends[1]};
    std::unique_ptr<ringlet::loop> loop;
    try {
        loop = std::make_unique<ringlet::loop>();
    } catch (const engine_unavailable& error) {
        SKIP(error.what());
    }
    loop->run([](fd_ref from, fd_ref to) -> task<> {
        std::array<long, 9> taken{};
        bool same_lists = true;
        const std::array<std::byte, 4> data{};
        reading r;
        bool more = true;
        for (int round = 0; round < 3; ++round) {
            const auto lists = free_lists();
            r.begin();
            co_await nop_op{};
            taken[0] = r.taken();
            co_await with_timeout(1h, nop_op{});
            taken[1] = r.taken();
            auto code = co_await as_result(with_timeout(1h, shield(nop_op{})));
            taken[2] = r.taken() + (code ? 0 : 1);
            co_await sleep(1us);
            taken[3] = r.taken();
            co_await ringlet::yield();
            taken[4] = r.taken();
            co_await send_all_op{to, data};
            taken[5] = r.taken();
            {
                auto lease = co_await recv_provided_op{from, more};
                taken[6] = r.taken() + (lease.size() == 4 ? 0 : 1);
            }
            co_await with_timeout(1h, send_all_op{to, data});
            {
                auto lease = co_await with_timeout(1h, recv_provided_op{from, more});
                taken[7] = r.taken() + (lease.size() == 4 ? 0 : 1);
            }
            // Also where the limit ends it: a value, so nothing is thrown.
            auto late = co_await as_result(with_timeout(1us, recv_provided_op{from, more}));
            taken[8] = r.taken() + (late ? 1 : 0);
            same_lists = lists == free_lists() && r.no_frame();
        }
        for (std::size_t i = 0; i < taken.size(); ++i) {
            CAPTURE(i);
            CHECK(taken[i] == 0);
        }
        CHECK(same_lists);
    }(b, a));
}

TEST_CASE("the counter sees an allocation", "[allocation]") {
    reading r;
    r.begin();
    const auto something = std::make_unique<std::array<char, 100>>();
    CHECK(something);
    CHECK(r.taken() > 0);
}
