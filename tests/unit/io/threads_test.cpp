// SPDX-License-Identifier: MIT
// What other threads do with a loop: letters, pool work, loops of their own.
#include "core/support.hpp"
#include <ringlet/io/mailbox.hpp>
#include <ringlet/io/thread_pool.hpp>
#include <ringlet/time/sleep.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <pthread.h>

using namespace ringlet_tests;
using ringlet::sleep;
using ringlet::task;
using ringlet::io::letter;
using ringlet::io::thread_pool;
using ringlet::io::work_item;

namespace {

struct numbered_letter : letter {
    numbered_letter(int thread_number, int serial_number, std::vector<int>& last_of_thread, int& all) noexcept
        : letter{&arrive}, thread{thread_number}, serial{serial_number}, last{&last_of_thread}, count{&all} {}
    static void arrive(letter& l) noexcept {
        auto& self = static_cast<numbered_letter&>(l);
        int& before = (*self.last)[static_cast<std::size_t>(self.thread)];
        if (self.serial == before + 1) ++before;
        ++*self.count;
    }
    int thread;
    int serial;
    std::vector<int>* last;
    int* count;
};

struct count_item : work_item {
    explicit count_item(std::atomic<int>& c) noexcept : work_item{&execute}, count{&c} {}
    static void execute(work_item& w) noexcept { ++*static_cast<count_item&>(w).count; }
    std::atomic<int>* count;
};

bool uring_available() {
    try {
        ringlet::loop probe;
        return true;
    } catch (const ringlet::io::engine_unavailable&) {
        return false;
    }
}

}  // namespace

TEST_CASE("letters of several threads all arrive, each thread's in the order of posting", "[threads]") {
    if (!uring_available()) SKIP("io_uring is not available here");
    constexpr int threads = 4;
    constexpr int each = 5000;
    const leak_check check;
    ringlet::loop loop;
    std::vector<int> last(threads, -1);
    int count = 0;
    std::vector<std::unique_ptr<numbered_letter>> letters;
    for (int t = 0; t < threads; ++t)
        for (int i = 0; i < each; ++i) letters.push_back(std::make_unique<numbered_letter>(t, i, last, count));
    loop.run([](auto& post, int& n, std::size_t wanted) -> task<> {
        auto& box = ringlet::loop::current().mail();
        std::vector<std::thread> senders;
        for (int t = 0; t < threads; ++t)
            senders.emplace_back([&box, &post, t] {
                for (int i = 0; i < each; ++i) box.post(*post[static_cast<std::size_t>(t * each + i)]);
            });
        while (n < static_cast<int>(wanted)) co_await sleep(1ms);
        for (auto& s : senders) s.join();
    }(letters, count, letters.size()));
    CHECK(count == threads * each);
    for (const int serial : last) CHECK(serial == each - 1);
}

TEST_CASE("a letter wakes a loop that sleeps, without any timer", "[threads]") {
    if (!uring_available()) SKIP("io_uring is not available here");
    const leak_check check;
    ringlet::loop loop;
    struct wake : letter {
        explicit wake(ringlet::job<>& target) noexcept : letter{&arrive}, job{&target} {}
        static void arrive(letter& l) noexcept {
            ringlet::loop::current().mail_arrived();
            static_cast<wake&>(l).job->cancel();
        }
        ringlet::job<>* job;
    };
    loop.run([]() -> task<> {
        auto sleeper = ringlet::spawn([]() -> task<> { co_await ringlet::sleep_until(ringlet::deadline::max()); });
        wake note{sleeper};
        auto& here = ringlet::loop::current();
        auto& box = here.mail();
        here.expect_mail();
        std::thread sender{[&] {
            std::this_thread::sleep_for(5ms);
            box.post(note);
        }};
        co_await sleeper.join();
        sender.join();
    }());
}

TEST_CASE("every work item of a pool runs once, also those still queued when the pool goes", "[threads]") {
    std::atomic<int> count = 0;
    std::vector<count_item> items(1000, count_item{count});
    {
        thread_pool pool;
        for (auto& item : items) pool.submit(item);
    }
    CHECK(count == 1000);
}

TEST_CASE("pool threads leave signals to the threads that run loops", "[threads]") {
    struct look_item : work_item {
        look_item() noexcept : work_item{&execute} {}
        static void execute(work_item& w) noexcept {
            sigset_t mask;
            pthread_sigmask(SIG_SETMASK, nullptr, &mask);
            static_cast<look_item&>(w).blocked = sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1;
        }
        bool blocked = false;
    };
    look_item item;
    {
        thread_pool pool;
        pool.submit(item);
    }
    CHECK(item.blocked);
    sigset_t mine;
    pthread_sigmask(SIG_SETMASK, nullptr, &mine);
    CHECK(sigismember(&mine, SIGINT) == 0);
}

TEST_CASE("each thread may run a loop of its own", "[threads]") {
    std::array<int, 3> sums{};
    std::vector<std::thread> threads;
    for (int& sum : sums)
        threads.emplace_back([&sum] {
            ringlet::testing::virtual_loop loop;
            sum = loop.run([]() -> task<int> {
                int total = 0;
                for (int i = 0; i < 100; ++i) {
                    auto j = ringlet::spawn(
                        [](int n) -> task<int> {
                            co_await sleep(1ms);
                            co_return n;
                        },
                        i);
                    total += co_await j.get();
                }
                co_return total;
            }());
        });
    for (auto& t : threads) t.join();
    CHECK(sums == std::array{4950, 4950, 4950});
}
