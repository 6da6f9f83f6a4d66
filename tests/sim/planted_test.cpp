// SPDX-License-Identifier: MIT
// Bugs that are planted here, one of each kind that the simulation is to find, and the words in which it tells of them.
#include "catch.hpp"
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/op/accept.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/testing/virtual_loop.hpp>
#include <ringlet/time/sleep.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <netinet/in.h>

namespace {

namespace io = ringlet::io;
namespace net = ringlet::net;
namespace sys = ringlet::io::sys;
namespace testing = ringlet::testing;
using ringlet::job;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet_tests::contains;
using ringlet_tests::last_words;
using namespace std::chrono_literals;

struct pair {
    io::owned_fd a;
    io::owned_fd b;
};

task<> make(pair& both) {
    const io::owned_fd listener{sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(sys::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(sys::listen(listener.get(), 1) == 0);
    REQUIRE(sys::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    both.a = io::owned_fd{sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    co_await io::connect_op{both.a, reinterpret_cast<const sockaddr&>(address), length};
    both.b = co_await io::accept_op{listener};
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }

/// What the simulation says of it, or "nothing".
template <class Make>
std::string said_of(Make make, std::uint64_t seed = 1) {
    testing::simulation world{seed};
    try {
        world.run(make());
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}

task<> receive(io::fd_ref from, std::span<std::byte> into) {
    const std::size_t n = co_await io::recv_op{from, into};
    CHECK(n <= into.size());
}

// --- memory ---

// Writes where the kernel is to write.
task<> scribbles() {
    pair s;
    co_await make(s);
    std::array<std::byte, 64> block{};
    job<> reader = spawn(receive(s.b, block));
    co_await sleep(1ms);
    static_cast<volatile std::byte&>(block[10]) = std::byte{1};
    co_await io::send_op{s.a, bytes_of("hello")};
    co_await reader.join();
}

// Changes what the kernel is to send.
task<> repaints() {
    pair s;
    co_await make(s);
    std::vector<std::byte> much(std::size_t{1} << 20);
    job<> sender = spawn(
        [](io::fd_ref to, std::span<const std::byte> all) -> task<> {
            [[maybe_unused]] const auto n = co_await ringlet::as_result(io::send_op{to, all, MSG_WAITALL});
        },
        io::fd_ref{s.a}, std::span<const std::byte>{much});
    co_await sleep(1ms);
    much.back() = std::byte{1};
    s.b.reset();
    co_await sender.join();
}

task<> frees_early() {
    pair s;
    co_await make(s);
    auto block = std::make_unique<std::array<std::byte, 64>>();
    block->fill(std::byte{7});
    job<> reader = spawn(
        [](io::fd_ref from, std::span<std::byte> into) -> task<> {
            [[maybe_unused]] const auto n = co_await ringlet::as_result(io::recv_op{from, into});
        },
        io::fd_ref{s.b}, std::span<std::byte>{*block});
    co_await sleep(1ms);
    block.reset();
    co_await io::send_op{s.a, bytes_of("hello")};
    co_await reader.join();
}

// --- descriptors ---

task<> forgets_a_descriptor() {
    pair s;
    co_await make(s);
    static_cast<void>(s.a.release());
}

task<> forgets_a_listener() {
    io::owned_fd listener{sys::socket(AF_INET, SOCK_STREAM, 0)};
    REQUIRE(sys::listen(listener.get(), 1) == 0);
    static_cast<void>(listener.release());
    co_return;
}

task<> closes_twice() {
    pair s;
    co_await make(s);
    const int number = s.a.get();
    s.a.reset();
    static_cast<void>(sys::close(number));
}

// --- buffers ---

task<io::buffer_lease> lease_from(io::fd_ref socket) {
    bool more = true;
    co_return co_await io::recv_provided_op{socket, more};
}

task<> gives_back_twice(int others) {
    pair s;
    co_await make(s);
    std::vector<io::buffer_lease> kept;
    for (int i = 0; i <= others; ++i) {
        co_await io::send_op{s.a, bytes_of("x")};
        io::buffer_lease lease = co_await lease_from(s.b);
        kept.push_back(std::move(lease));
    }
    alignas(io::buffer_lease) std::array<std::byte, sizeof(io::buffer_lease)> copy;
    std::memcpy(copy.data(), &kept.front(), sizeof copy);
    std::launder(reinterpret_cast<io::buffer_lease*>(copy.data()))->release();
}

task<> keeps_a_lease(std::optional<io::buffer_lease>& kept) {
    pair s;
    co_await make(s);
    co_await io::send_op{s.a, bytes_of("x")};
    kept = co_await lease_from(s.b);
}

// --- wake-ups and frames ---

/// An event as a program might write one, whose `set` forgets who waits.
class forgetful_event {
public:
    class wait : public ringlet::leaf<wait, void> {
    public:
        explicit wait(forgetful_event& event) noexcept : event_{&event} {}
        static constexpr std::string_view name = "a forgetful event";
        bool start(ringlet::detail::job_block& job) {
            static constexpr ringlet::detail::wait_kind kind{name, [](ringlet::detail::job_block& waiter) noexcept {
                                                                 waiter.res = ringlet::detail::wait_cancelled;
                                                                 ringlet::loop::current().make_ready(waiter);
                                                             }};
            job.waiting = &kind;
            event_->waiter_ = &job;
            return true;
        }
        ringlet::result<void> outcome(ringlet::detail::job_block&) const noexcept { return {}; }

    private:
        forgetful_event* event_;
    };
    wait async_wait() noexcept { return wait{*this}; }
    void set() noexcept { waiter_ = nullptr; }

private:
    ringlet::detail::job_block* waiter_ = nullptr;
};

task<> sleeps_at(forgetful_event& event) { co_await event.async_wait(); }
const std::string line_of_sleep = std::to_string(__LINE__ - 1);

task<> loses_a_wake_up() {
    forgetful_event event;
    job<> waiting = spawn(sleeps_at, std::ref(event));
    waiting.set_name("sleeper");
    co_await sleep(1ms);
    event.set();
    co_await waiting.join();
}

task<> waits_for_nobody() {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    const net::tcp_stream never = co_await listener.accept();
}

task<> keeps_a_job(std::optional<job<>>& kept) {
    kept.emplace(spawn([]() -> task<> { co_return; }));
    co_await sleep(1ms);
}

// --- what hunts find ---

/// The two ends of an exchange; the reader takes what one receive gives for the whole message.
task<> trusts_one_receive() {
    pair s;
    co_await make(s);
    std::array<std::byte, 64> message{};
    co_await ringlet::io::send_op{s.a, message};
    std::array<std::byte, 64> heard{};
    const std::size_t n = co_await io::recv_op{s.b, heard};
    if (n != heard.size()) throw std::logic_error{"half a message"};
}

task<> sends(std::size_t bytes) {
    pair s;
    co_await make(s);
    const std::vector<std::byte> some(bytes);
    co_await io::send_op{s.a, some};
}

}  // namespace

TEST_CASE("who writes to memory that the kernel has is found", "[sim][planted]") {
#if RINGLET_DETAIL_FRAME_POOL
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const std::string text = said_of(scribbles, seed);
        CAPTURE(text);
        CHECK(contains(text, "the memory of operation "));
        CHECK(contains(text, "was changed or freed while the kernel had it"));
        CHECK(contains(text, "seed " + std::to_string(seed)));
    }
#else  // AddressSanitizer is there: it stops at the very line
    CHECK(contains(last_words([] { said_of(scribbles); }), "use-after-poison"));
#endif
    CHECK(contains(said_of(repaints), "was changed or freed while the kernel had it"));
}

TEST_CASE("who frees memory that the kernel has is found", "[sim][planted]") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed)
        CHECK(contains(said_of(frees_early, seed), "was changed or freed while the kernel had it"));
}

TEST_CASE("a descriptor that is forgotten or closed twice is named", "[sim][planted]") {
    const std::string forgotten = said_of(forgets_a_descriptor);
    CAPTURE(forgotten);
    CHECK(contains(forgotten, "descriptor "));
    CHECK(contains(forgotten, " is still open: TCP 127.0.0.1:"));
    CHECK(contains(said_of(forgets_a_listener), " is still open: TCP listening at 0.0.0.0:"));
    CHECK(contains(said_of(closes_twice), " was closed and is not open (a second close?)"));
}

TEST_CASE("a buffer that is given back twice or never is told of", "[sim][planted]") {
    CHECK(contains(said_of([] { return gives_back_twice(0); }), "was given back twice"));
    CHECK(contains(said_of([] { return gives_back_twice(2); }), "was given back twice"));
    std::optional<io::buffer_lease> kept;
    CHECK(contains(said_of([&] { return keeps_a_lease(kept); }), "1 buffers were not given back"));
}

TEST_CASE("a wake-up that is lost is a deadlock, told with the job, its wait and the line", "[sim][planted]") {
    testing::simulation world;
    std::string text;
    try {
        world.run(loses_a_wake_up());
    } catch (const ringlet::deadlock_error& deadlock) {
        text = deadlock.what();
    }
    CAPTURE(text);
    CHECK(contains(text, "sleeper: waits for a forgetful event at "));
    CHECK(contains(text, "planted_test.cpp:" + line_of_sleep));
}

TEST_CASE("waiting for what nobody in the simulation can send is a deadlock", "[sim][planted]") {
    testing::simulation world;
    std::string text;
    try {
        world.run(waits_for_nobody());
    } catch (const ringlet::deadlock_error& deadlock) {
        text = deadlock.what();
    }
    CAPTURE(text);
    CHECK(contains(text, "no timer is armed and what is in flight can never end, but there are\n"));
    CHECK(contains(text, "waits for accept"));
}

TEST_CASE("a frame that is left behind is counted", "[sim][planted]") {
    std::optional<job<>> kept;
    CHECK(contains(said_of([&] { return keeps_a_job(kept); }), "1 frames or job blocks are alive after the run"));
}

TEST_CASE("an operation that never gets its last CQE is named", "[sim][planted]") {
    const std::string words = last_words([]() noexcept {
        ringlet::testing::virtual_loop loop;
        loop.engine().set_script([](auto&, const io_uring_sqe& sqe) {
            return sqe.opcode == IORING_OP_RECV || sqe.opcode == IORING_OP_ASYNC_CANCEL;
        });
        loop.run([]() -> task<> {
            static std::array<std::byte, 8> block;
            job<> stuck = spawn(receive(io::fd_ref{7}, block));
            stuck.set_name("reader");
            co_await ringlet::yield();
        }());
    });
    CHECK(contains(words, "the run has ended, but these have not for 5 s"));
    CHECK(contains(words, "reader: waits for recv"));

    testing::detail::world world{1, testing::fault_plan()};
    testing::detail::kernel kernel{world};
    const int event = kernel.eventfd(0, 0);
    {
        testing::sim_engine engine{world, kernel, {.sq_entries = 8, .cq_entries = 8}};
        std::array<std::byte, 8> block{};
        io_uring_prep_read(&engine.sqe_at(engine.sq_tail++), event, block.data(), block.size(), -1);
        engine.enter(0, io::no_deadline);
    }
    CHECK(contains(world.violation(), "operation 1 (opcode 22) had no last CQE when its loop ended"));
    kernel.close(event);
}

TEST_CASE("a hunt tells seed and step, and that seed alone fails at that step again", "[sim][planted]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless(0.02);
    options.success_share = 0;
    const auto hunted = [&options] {
        try {
            static_cast<void>(testing::hunt(options, [](testing::simulation& world) {
                world.run(trusts_one_receive());
                return true;
            }));
        } catch (const std::runtime_error& error) {
            return std::string{error.what()};
        }
        return std::string{"nothing"};
    };
    const std::string found = hunted();
    CAPTURE(found);
    CHECK(contains(found, "half a message"));
    unsigned long long seed = 0;
    unsigned long long step = 0;
    REQUIRE(std::sscanf(found.c_str(), "seed %llu, step %llu: ", &seed, &step) == 2);
    CHECK(seed > 1);
    CHECK(step > 0);
    options.first_seed = seed;
    options.seeds = 1;
    CHECK(hunted() == found);
}

TEST_CASE("what the seed does not decide is found by running each seed twice", "[sim][planted]") {
    testing::hunt_options options;
    options.faults = {};
    options.success_share = 0;
    options.seeds = 3;
    options.twice = true;
    const auto hunt_with = [&options](auto bytes) {
        static_cast<void>(testing::hunt(options, [&bytes](testing::simulation& world) {
            world.run(sends(bytes()));
            return true;
        }));
    };
    hunt_with([] { return std::size_t{100}; });
    const std::string expected = "seed 1, step ";
    try {
        hunt_with([] { return 1 + std::random_device{}() % 100'000; });
        FAIL("not found");
    } catch (const std::runtime_error& error) {
        CHECK(std::string{error.what()}.starts_with(expected));
        CHECK(contains(error.what(), "a second run with this seed was another run"));
    }
}

TEST_CASE("a program that gives up at every fault fails a hunt", "[sim][planted]") {
    testing::hunt_options options;
    options.faults = testing::fault_plan::harmless(0.2);
    options.seeds = 20;
    const auto gives_up = [](testing::simulation& world) {
        try {
            world.run(trusts_one_receive());
        } catch (const std::logic_error& error) {
            if (std::string_view{error.what()} != "half a message") throw;
        }
        return false;
    };
    CHECK_THROWS_WITH(testing::hunt(options, gives_up),
                      Catch::Matchers::StartsWith("seeds 1 to 20: too few runs ended well after a fault"));
}
