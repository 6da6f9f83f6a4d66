// SPDX-License-Identifier: MIT
#include "core/support.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

using namespace ringlet_tests;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::io::nop_op;
using ringlet::testing::scripted_engine;

namespace {

task<> nops(int count) {
    for (int i = 0; i < count; ++i) co_await nop_op{};
}
task<> never() {
    std::array<std::byte, 1> room{};
    co_await ringlet::io::recv_op{ringlet::io::fd_ref{0}, room};
}

/// Waits for nothing; only a cancellation ends it.
class [[nodiscard]] forever final : public ringlet::leaf<forever, void> {
public:
    forever() noexcept {}
    static constexpr std::string_view name = "a thing that never comes";
    bool start(ringlet::detail::job_block& job) noexcept {
        static constexpr ringlet::detail::wait_kind kind{name, [](ringlet::detail::job_block& waiter) noexcept {
                                                             waiter.res = ringlet::detail::wait_cancelled;
                                                             ringlet::loop::current().make_ready(waiter);
                                                         }};
        job.waiting = &kind;
        return true;
    }
    ringlet::result<void> outcome(ringlet::detail::job_block&) const noexcept { return {}; }
};

}  // namespace

TEST_CASE("more operations than the queues hold all complete", "[loop]") {
    for (const unsigned cq_entries : {2u, 1024u}) {
        checked_loop loop{ringlet::loop_options{}, 2, cq_entries};
        loop.run([]() -> task<> {
            std::vector<task<>> many;
            for (int i = 0; i < 100; ++i) many.push_back(nops(3));
            co_await ringlet::when_all(std::move(many));
        }());
        CHECK(loop.engine().submitted().size() == 300);
    }
}

TEST_CASE("cancelling more operations than the queues hold ends them all", "[loop]") {
    for (const unsigned cq_entries : {2u, 1024u}) {
        checked_loop loop{ringlet::loop_options{}, 2, cq_entries};
        loop.run([]() -> task<> {
            std::vector<task<>> many;
            for (int i = 0; i < 100; ++i) many.push_back(never());
            const std::string text = co_await fate(ringlet::with_timeout(1ms, ringlet::when_all(std::move(many))));
            CHECK(contains(text, "limit of 1 ms exceeded"));
        }());
        CHECK(loop.engine().pending() == 0);
        CHECK(loop.now() == 1ms);
    }
}

TEST_CASE("limits on more operations than the queues hold cancel them all", "[loop]") {
    checked_loop loop{ringlet::loop_options{}, 2, 2};
    loop.run([]() -> task<> {
        std::vector<task<std::string>> many;
        for (int i = 0; i < 100; ++i) many.push_back(fate(ringlet::with_timeout(1ms, never())));
        const auto texts = co_await ringlet::when_all(std::move(many));
        for (const std::string& text : texts) CHECK(contains(text, "limit of 1 ms exceeded"));
    }());
}

TEST_CASE("an enter that a signal interrupts loses nothing", "[loop]") {
    checked_loop loop;
    loop.engine().interrupt_next_enter();
    loop.run([](checked_loop& here) -> task<> {
        for (int i = 0; i < 5; ++i) {
            co_await nop_op{};
            here.engine().interrupt_next_enter();
            co_await sleep(1ms);
            here.engine().interrupt_next_enter();
        }
    }(loop));
    CHECK(loop.now() == 5ms);
    CHECK(loop.engine().submitted().size() == 5);
}

TEST_CASE("a job that only yields starves neither completions nor timers nor other jobs", "[loop]") {
    for (const std::size_t batch : {std::size_t{1}, std::size_t{1024}}) {
        ringlet::loop_options options;
        options.batch_max = batch;
        checked_loop loop{options};
        bool stop = false;
        loop.run([](bool& s) -> task<> {
            auto spinner = spawn(
                [](bool& flag) -> task<int> {
                    int turns = 0;
                    while (!flag && turns < 100'000) {
                        co_await ringlet::yield();
                        ++turns;
                    }
                    co_return turns;
                },
                std::ref(s));
            co_await nops(3);
            co_await ringlet::sleep_until(ringlet::clock::now());
            co_await ringlet::yield();
            s = true;
            const int turns = co_await spinner.get();
            CHECK(turns < 10'000);  // a few batches at most, of the 100,000 turns that it would take
        }(stop));
    }
}

TEST_CASE("a deadlock is reported with what each job waits for, and where", "[loop]") {
    checked_loop loop;
    std::string log;
    std::string text;
    const auto main = [](std::string& l) -> task<> {
        auto named = spawn([]() -> task<> { co_await forever{}; });
        named.set_name("hen");
        auto careful = spawn(
            [](std::string& note) -> task<> {
                bool stopped = false;
                try {
                    co_await forever{};
                } catch (const ringlet::cancelled&) {
                    stopped = true;
                }
                if (stopped) co_await ringlet::shield(sleep(3ms));
                note += 'c';
            },
            std::ref(l));
        co_await careful.join();
    };
    const std::string line_of_named = std::to_string(__LINE__ - 16);
    const std::string line_of_main = std::to_string(__LINE__ - 3);
    try {
        loop.run(main(log));
    } catch (const ringlet::deadlock_error& error) {
        text = error.what();
    }
    CAPTURE(text);
    CHECK(text.starts_with("deadlock: nothing is ready"));
    CHECK(contains(text, "hen: waits for a thing that never comes at "));
    CHECK(contains(text, "loop_test.cpp:" + line_of_named + " in "));
    CHECK(contains(text, "waits for the end of a job at "));
    CHECK(contains(text, "loop_test.cpp:" + line_of_main + " in "));
    CHECK(log == "c");  // clean-up that awaits had its time
    CHECK(loop.now() == 3ms);
    // The loop runs on.
    CHECK(loop.run(fate(sleep(1ms))) == "done");
}

TEST_CASE("a job that not even a cancellation can wake aborts, and the text names it", "[loop][abort]") {
    const std::string words = last_words([] {
        ringlet::testing::virtual_loop loop;
        loop.run([]() -> task<> {
            auto stuck = spawn([]() -> task<> { co_await ringlet::shield(forever{}); });
            stuck.set_name("sleeping beauty");
            co_await ringlet::yield();
        }());
    });
    CHECK(contains(words, "even when cancelled"));
    CHECK(contains(words, "sleeping beauty: waits for a thing that never comes"));
}

TEST_CASE("main's end does not wait for the timers and operations of others", "[loop]") {
    checked_loop loop;
    loop.run([]() -> task<> {
        spawn([]() -> task<> { co_await sleep(1h); });
        spawn(never);
        co_await ringlet::yield();
    }());
    CHECK(loop.now() == 0ms);
    CHECK(loop.engine().pending() == 0);
}

TEST_CASE("a loop runs one main task after another, also after a failure", "[loop]") {
    checked_loop loop;
    const auto fails = []() -> task<> {
        co_await sleep(1ms);
        throw std::runtime_error{"once"};
    };
    CHECK_THROWS_WITH(loop.run(fails()), "once");
    loop.run(nops(2));
    CHECK_THROWS_WITH(loop.run([](auto f) -> task<> {
        spawn(f);
        co_await sleep(1h);
    }(fails)),
                      "once");
    CHECK(loop.run([]() -> task<int> {
        auto j = spawn([]() -> task<int> {
            co_await sleep(1ms);
            co_return 3;
        });
        co_return co_await j.get();
    }()) == 3);
    CHECK(loop.now() == 3ms);
}

TEST_CASE("a script that has no answer fails the test that waits for it", "[loop]") {
#if RINGLET_DETAIL_FRAME_POOL  // the jobs of a loop whose engine failed leak, on purpose
    ringlet::testing::virtual_loop loop;
    CHECK_THROWS_WITH(loop.run(never()), "the script has no answer to what the loop waits for");
#endif
}

TEST_CASE("spinning before sleep is of no effect under virtual time", "[loop]") {
    ringlet::loop_options options;
    options.spin = 1s;
    checked_loop loop{options};
    loop.run([]() -> task<> {
        co_await nop_op{};
        co_await sleep(1h);
    }());
    CHECK(loop.now() == 1h);
}

TEST_CASE("an idle turn enters the engine once", "[loop]") {
    checked_loop loop;
    loop.run(nops(1));
    const std::size_t before = loop.engine().enters();
    loop.run(nops(100));
    CHECK(loop.engine().enters() - before <= 101);
}

TEST_CASE("a deadlock after another thread's work is reported as well", "[loop]") {
    // The mailbox, once used, listens for ever: no reason to wait for ever.
    checked_loop loop;
    loop.engine().set_script([](scripted_engine& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_POLL_ADD) return false;
        if (engine.submitted().size() == 1) engine.complete(sqe.user_data, POLLIN);
        return true;
    });
    CHECK_THROWS_AS(loop.run([]() -> task<> {
        ringlet::loop::current().mail();
        co_await nop_op{};  // the bell rings in the same turn, and the mailbox is about to listen again
        co_await forever{};
    }()),
                    ringlet::deadlock_error);
}

TEST_CASE("standing requests are told to end even when that fills the queue", "[loop]") {
    struct standing : ringlet::io::completion, ringlet::io::listed {
        standing() noexcept : completion{&arrived}, listed{entry()} {}
        static void arrived(completion& base, std::int32_t, std::uint32_t) noexcept {
            static_cast<standing&>(base).link.unlink();
            ringlet::loop::current().request_ended();
        }
        static void stop(listed& base) noexcept {
            auto& self = static_cast<standing&>(base);
            ringlet::loop::current().cancel_request(self.id());
        }
        static const listed::kind& entry() {
            static constexpr listed::kind only{&stop};
            return only;
        }
        std::uint64_t id() noexcept {
            return reinterpret_cast<std::uint64_t>(static_cast<completion*>(this)) |
                   ringlet::io::detail::tag_completion;
        }
    };
    checked_loop loop{ringlet::loop_options{}, 1, 64};
    std::array<standing, 20> all;
    // While the others are told, every second ends by itself.
    loop.engine().set_script([&](scripted_engine& engine, const io_uring_sqe& sqe) {
        for (std::size_t i = 0; i + 1 < all.size(); i += 2)
            if (sqe.opcode == IORING_OP_ASYNC_CANCEL && sqe.addr == all[i].id())
                engine.complete(all[i + 1].id(), -ECONNRESET);
        return false;
    });
    loop.run([](std::array<standing, 20>& requests) -> task<> {
        for (standing& one : requests) {
            io_uring_sqe& sqe = ringlet::loop::current().next_sqe();
            io_uring_prep_poll_add(&sqe, 0, POLLIN);
            sqe.user_data = one.id();
            ringlet::loop::current().request_begun();
            ringlet::loop::current().add_standing(one);
        }
        co_return;
    }(all));
}

TEST_CASE("what does not end after the run is named", "[loop][abort]") {
    const std::string words = last_words([]() noexcept {
        ringlet::testing::virtual_loop loop;
        loop.engine().set_script([](auto&, const io_uring_sqe&) { return true; });  // not even when it is cancelled
        loop.run([]() -> task<> {
            const ringlet::job<> stuck = ringlet::spawn([]() -> task<> { co_await ringlet::io::nop_op{}; });
            co_await ringlet::yield();
        }());
    });
    CHECK(contains(words, "the run has ended, but these have not for 5 s"));
    CHECK(contains(words, "waits for nop at"));
}

TEST_CASE("a loop counts what it does", "[loop]") {
    checked_loop loop;
    ringlet::loop_statistics at_end;
    loop.run([](ringlet::loop_statistics& out) -> task<> {
        std::vector<ringlet::job<>> jobs;
        for (int i = 0; i < 5; ++i) jobs.push_back(spawn([]() -> task<> { co_await ringlet::io::nop_op{}; }));
        co_await ringlet::joinall(jobs);
        out = ringlet::loop::current().statistics();
    }(at_end));
    CHECK(at_end.submissions == 5);
    CHECK(at_end.completions == 5);
    CHECK(at_end.turns > 0);
    CHECK(at_end.enters > 0);
    CHECK(at_end.enters <= at_end.turns + 1);
    CHECK(at_end.ready_max == 5);
    CHECK(at_end.in_flight == 0);
    CHECK(at_end.longest_run == 0ns);
}

TEST_CASE("a loop knows how long jobs held it up, and its system calls", "[loop]") {
    ringlet::loop loop;
    ringlet::loop_statistics early;
    ringlet::loop_statistics late;
    loop.run([](ringlet::loop_statistics& before, ringlet::loop_statistics& after) -> task<> {
        before = ringlet::loop::current().statistics();
        co_await ringlet::sleep(50ms);  // not held up: it sleeps
        if (ringlet::loop::current().statistics().longest_run > 45ms) co_return;
        std::this_thread::sleep_for(60ms);
        ringlet::io::sys::read(-1, nullptr, 0);
        co_await ringlet::sleep(1ms);
        after = ringlet::loop::current().statistics();
    }(early, late));
    CHECK(late.longest_run >= 59ms);
    CHECK(late.longest_run < 10s);
    CHECK(late.calls == early.calls + 1);
    CHECK(late.enters > early.enters);
}

TEST_CASE("a watchdog names the job that runs long, once a second", "[loop][abort]") {
    const std::string words = last_words([]() noexcept {
        ringlet::loop_options options;
        options.watchdog = 5ms;
        ringlet::loop loop{options};
        loop.run([]() -> task<> {
            for (int i = 0; i < 2; ++i) {
                auto slow = spawn([]() -> task<> {
                    co_await ringlet::yield();
                    std::this_thread::sleep_for(10ms);
                });
                slow.set_name("the slow one");
                co_await slow.join();
            }
            if (ringlet::loop::current().statistics().longest_run < 10ms) std::abort();
        }());
        std::fputs("done\n", stderr);
        std::abort();
    });
    CHECK(contains(words, "the slow one ran for "));
    CHECK(contains(words, "ms without awaiting, after "));
    CHECK(contains(words, "loop_test.cpp:"));
    CHECK(words.find("the slow one") == words.rfind("the slow one"));
    CHECK(contains(words, "done"));
}

TEST_CASE("a loop on another thread, or with sizes that cannot be, aborts", "[loop][abort]") {
    CHECK(contains(last_words([] {
                       ringlet::testing::virtual_loop loop;
                       std::thread{[&] { loop.run([]() -> task<> { co_return; }()); }}.join();
                   }),
                   "a loop runs on the thread that made it"));
    CHECK(contains(last_words([] {
                       ringlet::loop_options options;
                       options.batch_max = 0;
                       const ringlet::testing::virtual_loop loop{options};
                   }),
                   "batch_max is 0"));
    CHECK(contains(last_words([] {
                       ringlet::loop_options options;
                       options.ring.cq_entries = options.ring.sq_entries / 2;
                       const ringlet::loop loop{options};
                   }),
                   "at least as many CQ entries"));
}
