// SPDX-License-Identifier: MIT
// Processes that are killed at every moment, and what they shared with others.
#include "os/children.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/os/popen.hpp>
#include <ringlet/os/process.hpp>
#include <ringlet/os/process_pool.hpp>
#include <ringlet/os/process_queue.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include <sys/ptrace.h>

using namespace ringlet;
using namespace ringlet_tests;
using os::process;
using os::process_pool;
using os::process_queue;
using os::detail::shared_queue;
using outcome = shared_queue::outcome;

namespace {

// --- one instruction further each time ---

using item = std::array<std::byte, 16>;
item item_of(int number) {
    item all;
    all.fill(static_cast<std::byte>(number));
    return all;
}

struct shared_call {
    const char* name;
    std::size_t items_before;
    std::size_t items_after;
    void (*call)(shared_queue&);
};
void put_one(shared_queue& q) { q.try_put(item_of(9)); }
void get_one(shared_queue& q) {
    item got{};
    std::size_t size = 0;
    q.try_get(got, size);
}
constexpr std::array shared_calls{
    shared_call{"the first item is put", 0, 1, &put_one},
    shared_call{"the last item is put", 1, 2, &put_one},
    shared_call{"no item is put", 2, 2, &put_one},
    shared_call{"the first item is taken", 2, 1, &get_one},
    shared_call{"the last item is taken", 1, 0, &get_one},
    shared_call{"no item is taken", 0, 0, &get_one},
    shared_call{"it is closed", 1, 1, [](shared_queue& q) { q.close(); }},
};

constexpr int cannot_trace = 77;

/// A child makes the call, and is killed after so many instructions. Gives how many it took when it ended before.
int killed_after(int instructions, const shared_call& what, shared_queue& q) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(cannot_trace);
        ::raise(SIGSTOP);
        what.call(q);
        ::raise(SIGSTOP);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) return -1;
    int done = 0;
    while (done < instructions) {
        ::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr);
        ::waitpid(child, &status, 0);
        if (WSTOPSIG(status) != SIGTRAP) break;  // it is through
        ++done;
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return done;
}

shared_queue queue_with(std::size_t items) {
    shared_queue q{2, sizeof(item)};
    for (std::size_t i = 0; i < items; ++i) q.try_put(item_of(static_cast<int>(i)));
    return q;
}

/// Everybody is told of what is there, and all of it is whole.
task<bool> is_whole(shared_queue& q, std::size_t items_taken) {
    if (q.size() > 0) co_await q.wait_for_item();
    if (q.size() < q.capacity()) co_await q.wait_for_room();
    item got{};
    std::size_t size = 0;
    bool right = true;
    for (std::size_t i = items_taken; q.try_get(got, size) == outcome::done; ++i)
        right = right && size == sizeof got && (got == item_of(static_cast<int>(i)) || got == item_of(9));
    co_await q.wait_until_empty();
    if (q.closed()) {
        co_await q.wait_for_item();  // who waits is told of the end
        right = right && q.try_put(item_of(1)) == outcome::closed;
        co_return right;
    }
    right = right && q.try_put(item_of(1)) == outcome::done && q.try_put(item_of(2)) == outcome::done &&
            q.try_put(item_of(3)) == outcome::wait;
    co_await q.wait_for_item();
    for (int i = 1; i <= 2; ++i) right = right && q.try_get(got, size) == outcome::done && got == item_of(i);
    co_await q.wait_for_room();
    right = right && q.try_get(got, size) == outcome::wait;
    co_return right;
}

task<> killed_at(const shared_call& what, int instructions) {
    shared_queue q = queue_with(what.items_before);
    killed_after(instructions, what, q);
    const std::size_t left = q.size();
    INFO(what.name << ", killed after " << instructions << " instructions; " << left << " items are left");
    CHECK((left == what.items_before || left == what.items_after));
    const std::size_t taken = left < what.items_before ? what.items_before - left : 0;
    const bool whole = co_await with_timeout(10s, is_whole(q, taken));
    CHECK(whole);
}

task<> killed_at_each_moment() {
    constexpr int moments = 40;
    for (const shared_call& what : shared_calls) {
        shared_queue q = queue_with(what.items_before);
        what.call(q);  // so that a child has no symbols to look up
        q = queue_with(what.items_before);
        const int all = killed_after(std::numeric_limits<int>::max(), what, q);
        if (all < 0) {
            WARN("no child may be traced here: nobody is killed in the middle of a call");
            co_return;
        }
        CHECK(q.size() == what.items_after);
        for (int i = 0; i < moments; ++i) co_await killed_at(what, all * i / moments);
    }
}

// --- at random moments ---

struct sealed {
    std::uint64_t producer = 0;
    std::uint64_t number = 0;
    std::uint64_t seal = 0;
    bool whole() const { return seal == (producer * 31 ^ number * 17 ^ 0x5ea1); }
};

task<> produce(process_queue<sealed>& q, std::uint64_t producer) {
    for (std::uint64_t i = 1;; ++i) co_await q.put(sealed{producer, i, producer * 31 ^ i * 17 ^ 0x5ea1});
}
task<> consume(process_queue<sealed>& q) {
    for (;;) {
        const std::optional<sealed> got = co_await q.get();
        if (!got || !got->whole()) throw std::runtime_error{"a broken item"};
    }
}

class crowd {
public:
    crowd() {
        for (std::size_t i = 0; i < producers_.size(); ++i) start_producer(i);
    }
    task<> take(std::size_t count) {
        for (; count > 0; --count) co_await take_one();
    }
    /// Until there was something of each producer that runs.
    task<> take_of_each() {
        std::vector<std::uint64_t> waited_for(names_.begin(), names_.end());
        while (!waited_for.empty()) std::erase(waited_for, co_await take_one());
    }
    task<> kill_producer(std::size_t which) {
        producers_[which]->kill();
        const int code = co_await producers_[which]->join();
        CHECK(code == -SIGKILL);
        start_producer(which);
    }
    task<> kill_consumer() {
        consumer_.kill();
        const int code = co_await consumer_.join();
        CHECK(code == -SIGKILL);
        consumer_ = process::start(consume, std::ref(queue_));
    }
    std::size_t producers() const { return producers_.size(); }

private:
    void start_producer(std::size_t which) {
        names_[which] = next_name_++;
        producers_[which].emplace(process::start(produce, std::ref(queue_), names_[which]));
    }
    task<std::uint64_t> take_one() {
        const std::optional<sealed> got = co_await queue_.get();
        if (!got || !got->whole() || got->number <= last_[got->producer]) {
            FAIL("an item is broken, or came twice");
            co_return 0;
        }
        last_[got->producer] = got->number;
        co_return got->producer;
    }

    process_queue<sealed> queue_{3};
    std::uint64_t next_name_ = 1;
    std::array<std::uint64_t, 3> names_{};
    std::array<std::optional<process>, 3> producers_;
    process consumer_ = process::start(consume, std::ref(queue_));
    std::map<std::uint64_t, std::uint64_t> last_;
};

task<> the_others_go_on() {
    crowd all;
    std::minstd_rand random{1};
    for (int round = 0; round < 40; ++round) {
        co_await all.take(random() % 40);
        const std::size_t victim = random() % (all.producers() + 1);
        if (victim < all.producers())
            co_await all.kill_producer(victim);
        else
            co_await all.kill_consumer();
    }
    co_await all.take_of_each();
}

int square(int x) { return x * x; }
// The value, or 0 when the worker was killed.
task<int> square_or_lost(process_pool& pool, int x) {
    auto call = pool.apply_async<square>(x);
    try {
        co_return co_await call.get();
    } catch (const os::worker_lost& lost) {
        CHECK(lost.exit_code() == -SIGKILL);
    }
    co_return 0;
}

task<> workers_killed() {
    process_pool pool{3};
    std::minstd_rand random{1};
    for (int round = 0; round < 40; ++round) {
        std::vector<job<int>> calls;
        for (int x = 1; x <= 6; ++x) calls.push_back(spawn(square_or_lost, std::ref(pool), x));
        for (auto turns = random() % 40; turns > 0; --turns) co_await yield();
        const std::vector<pid_t> pids = pool.pids();
        if (!pids.empty()) ::kill(pids[random() % pids.size()], SIGKILL);
        for (int x = 1; x <= 6; ++x) {
            const int got = co_await calls[static_cast<std::size_t>(x - 1)].get();
            CHECK((got == x * x || got == 0));
        }
    }
    pool.close();
    co_await pool.join();
}

task<> program_killed(int turns, bool& ended) {
    const std::string text(300'000, 'x');
    os::popen cat{{"cat"}, os::popen_options::pipes()};
    auto talk = [](os::popen& with, std::string words) { return with.communicate(std::move(words)); };
    auto talking = spawn(talk, std::ref(cat), text);
    for (; turns > 0; --turns) co_await yield();
    ended = talking.ready();
    cat.kill();
    const os::popen_result done = co_await talking.get();
    CHECK((done.exit_code == -SIGKILL || done.exit_code == 0));
    CHECK((done.exit_code != 0 || done.output == text));
}

task<> programs_killed() {
    bool ended = false;
    for (int turns = 0; !ended; turns += 1 + turns / 4) co_await program_killed(turns, ended);
}

// --- the parent ---

task<> wait_for_ever(process_queue<int>& q, const raw_pipe& started) {
    started.say('!');
    co_await q.get();
}

task<> have_children_and_die(const raw_pipe& started) {
    process_queue<int> q{2};
    const process a = process::start(wait_for_ever, std::ref(q), std::cref(started));
    const process b = process::start(wait_for_ever, std::ref(q), std::cref(started));
    co_await said(started);
    co_await said(started);
    ::raise(SIGKILL);
}

task<> the_parent_is_killed() {
    raw_pipe started;
    raw_pipe alive;  // whose writing end every one of them has
    process owner = process::start(have_children_and_die, std::cref(started));
    alive.in.reset();
    const int code = co_await owner.join();
    CHECK(code == -SIGKILL);
    const char end = co_await said(alive);
    CHECK(end == 0);
}

}  // namespace

// Chaos has nothing to do with it: what is killed has no loop, and this takes seconds.
TEST_CASE("a process that is killed in a call of a process queue leaves a queue",
          "[os][process_queue][kill][orderly]") {
    const no_children_left check;
    run(killed_at_each_moment);
}
TEST_CASE("a process queue's peers are killed, and the others go on", "[os][process_queue][kill]") {
    const no_children_left check;
    run(the_others_go_on);
}
TEST_CASE("workers of a process pool are killed, and it goes on", "[os][process_pool][kill]") {
    const no_children_left check;
    run(workers_killed);
}
TEST_CASE("a program is killed while one communicates with it", "[os][popen][kill]") {
    const no_children_left check;
    run(programs_killed);
}
TEST_CASE("processes end with a killed parent, although they wait for each other", "[os][process][kill]") {
    const no_children_left check;
    run(the_parent_is_killed);
}
