// SPDX-License-Identifier: MIT
// Random trees of tasks: whatever is put into whatever, cancelled at any time or not, ends from the leaves to the root.
#include "awaitables/scenario.hpp"
#include "catch.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/fs/directory.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/op/read_full.hpp>
#include <ringlet/testing/everywhere.hpp>
#include <ringlet/time/joinall.hpp>

#include <fmt/format.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace ringlet_tests;
namespace fs = ringlet::fs;

constexpr int depth_max = 5;
constexpr std::uint64_t children_max = 4;
constexpr int nodes_max = 150;
constexpr auto sleep_max = 30ms;
// After a cancellation nothing sleeps but what is shielded, for so long at most; requests take some latencies to end.
constexpr auto shielded_max = 3ms;
constexpr auto clean_up_max = shielded_max + 5ms;

struct planned_failure : std::runtime_error {
    planned_failure() : runtime_error{"planned"} {}
};

/// What one tree has in common. Its decisions are the seed's, as all that the simulation decides.
struct tree {
    tree(testing::simulation& where, std::uint64_t seed) : world{&where}, state{seed} {}

    std::uint64_t below(std::uint64_t end) noexcept {
        std::uint64_t z = (state += 0x9e3779b97f4a7c15U);  // splitmix64
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return (z ^ (z >> 31)) % end;
    }
    std::chrono::microseconds time_below(std::chrono::microseconds end) noexcept {
        return std::chrono::microseconds{below(static_cast<std::uint64_t>(end.count()))};
    }
    void check(bool holds, const char* what) {
        if (!holds && wrong.empty()) wrong = fmt::format("{} ({})", what, world->where());
    }

    testing::simulation* world;
    std::uint64_t state;
    int nodes = 0;
    int alive = 0;
    std::uint64_t files = 0;
    std::string wrong;
};

/// A task of the tree, for as long as its frame lives.
class node {
public:
    node(tree& all, node* parent) noexcept : all_{&all}, parent_{parent} {
        ++all.nodes;
        ++all.alive;
        if (parent_) ++parent_->children_;
    }
    node(const node&) = delete;
    node& operator=(const node&) = delete;
    ~node() {
        all_->check(children_ == 0, "a task ended before its children");
        --all_->alive;
        if (parent_) --parent_->children_;
    }

private:
    tree* all_;
    node* parent_;
    int children_ = 0;
};

task<> grow(tree& all, node* parent, int depth);

// --- leaves ---

task<> to_the_end(tree& all) {
    try {
        co_await ringlet::sleep(all.time_below(shielded_max));
        co_await ringlet::yield();
    } catch (const ringlet::cancelled&) {
        all.check(false, "a shielded task was cancelled");
        throw;
    }
}

task<> shields(tree& all) {
    co_await ringlet::shield(to_the_end(all));
    co_await ringlet::yield();
}

task<> fill_pipe(pipe_ends& pipe, const std::string& text) {
    co_await write_later(pipe.writing, text);
    pipe.writing.reset();
}

task<std::size_t> drain_pipe(pipe_ends& pipe, std::span<std::byte> into) {
    co_return co_await io::read_full_op{pipe.reading, into};
}

task<> through_a_pipe(tree& all) {
    pipe_ends pipe = make_pipe();
    const std::string text(1 + all.below(100'000), static_cast<char>('a' + all.below(26)));
    std::vector<std::byte> room(text.size() + 1);
    const auto both = co_await ringlet::when_all(drain_pipe(pipe, room), fill_pipe(pipe, text));
    const std::size_t got = std::get<0>(both);
    all.check(as_text(std::span{room}.first(got)) == text, "other bytes came out of a pipe");
}

task<> through_tcp(tree& all) {
    connection both = co_await connected();
    const std::string text(1 + all.below(300'000), static_cast<char>('a' + all.below(26)));
    const auto ends = co_await ringlet::when_all(receive_exactly(both.far, text.size()), send_text(both.near, text));
    all.check(std::get<0>(ends) == text, "other bytes came through a connection");
}

task<> through_a_file(tree& all) {
    const std::string path = fmt::format("/file{}", ++all.files);
    const std::string text(1 + all.below(50'000), static_cast<char>('a' + all.below(26)));
    fs::file out = co_await fs::create(path);
    co_await out.write_all(as_bytes(text));
    co_await out.close();
    fs::file in = co_await fs::open(path);
    const std::string back = co_await in.read_all();
    all.check(back == text, "a file holds other bytes");
    co_await fs::unlink(path);
}

// --- branches ---

task<> all_of_them(tree& all, node* self, int depth) {
    std::vector<task<>> many;
    many.reserve(children_max);
    for (std::uint64_t i = 1 + all.below(children_max); i > 0; --i) many.push_back(grow(all, self, depth));
    co_await ringlet::when_all(std::move(many));
}

task<> first_of_them(tree& all, node* self, int depth) {
    co_await ringlet::first_of(grow(all, self, depth), grow(all, self, depth),
                               ringlet::sleep(all.time_below(sleep_max)));
}

task<> in_a_group(tree& all, node* self, int depth) {
    auto body = [](ringlet::task_group& group, tree& whole, node* outer, int below) -> task<> {
        const node here{whole, outer};
        for (std::uint64_t i = whole.below(children_max); i > 0; --i) group.spawn(grow(whole, outer, below));
        co_await ringlet::sleep(whole.time_below(sleep_max));
        if (whole.below(8) == 0) group.cancel();
    };
    co_await ringlet::with_task_group(body, std::ref(all), self, depth);
}

task<> limited(tree& all, node* self, int depth) {
    const auto limit = all.time_below(sleep_max);
    const auto before = all.world->now();
    const auto outcome = co_await ringlet::as_result(ringlet::with_timeout(limit, grow(all, self, depth)));
    const auto took = all.world->now() - before;
    all.check(took <= limit + clean_up_max, "a time limit ended too late");
    all.check(outcome || outcome.error() != std::errc::timed_out || took >= limit, "a time limit ended too early");
}

task<> caught(tree& all, node* self, int depth) {
    try {
        co_await grow(all, self, depth);
    } catch (const std::exception&) {
    }
    co_await ringlet::yield();
}

// Jobs of the root group may outlive the one that spawned them, when that is cancelled: they are nobody's children.
task<> joined(tree& all, int depth) {
    ringlet::job<> child = ringlet::spawn(grow, std::ref(all), nullptr, depth);
    if (all.below(2) == 0) {
        co_await child.get();
    } else {
        co_await ringlet::sleep(all.time_below(sleep_max));
        child.cancel();
        co_await child.join();
    }
    all.check(child.ready(), "a job was joined before its end");
}

task<> joined_together(tree& all, int depth) {
    std::vector<ringlet::job<>> jobs;
    for (std::uint64_t i = 1 + all.below(children_max); i > 0; --i)
        jobs.push_back(ringlet::spawn(grow, std::ref(all), nullptr, depth));
    const auto limit = all.time_below(sleep_max);
    const std::size_t wanted = all.below(jobs.size() + 1);
    const auto before = all.world->now();
    const ringlet::join_options options{limit, wanted, false};
    const std::size_t ended = co_await ringlet::joinall(jobs, options);
    const auto took = all.world->now() - before;
    all.check(took <= limit + 1ms, "joinall's time limit ended too late");
    all.check(ended >= wanted || took >= limit, "joinall ended too early");
    for (ringlet::job<>& job : jobs) {
        if (all.below(2) == 0) job.cancel();
        co_await job.join();
        all.check(job.ready(), "a job was joined before its end");
    }
}

task<> grow(tree& all, node* parent, int depth) {
    node self{all, parent};
    const bool may_branch = depth < depth_max && all.nodes < nodes_max;
    constexpr std::uint64_t leaves = 8;
    constexpr std::uint64_t branches = 7;
    const std::uint64_t kind = may_branch && all.below(10) < 7 ? leaves + all.below(branches) : all.below(leaves);
    const int below = depth + 1;
    switch (kind) {
        case 0:
            co_await ringlet::sleep(all.time_below(sleep_max));
            break;
        case 1:
            co_await ringlet::yield();
            break;
        case 2:
            co_await shields(all);
            break;
        case 3:
            co_await through_a_pipe(all);
            break;
        case 4:
            co_await through_tcp(all);
            break;
        case 5:
            co_await through_a_file(all);
            break;
        case 6:
            co_await ringlet::sleep_until(ringlet::deadline_after(all.time_below(sleep_max)));
            break;
        case 7:
            co_await ringlet::sleep(all.time_below(sleep_max));
            if (all.below(6) == 0) throw planned_failure{};
            break;
        case 8:
            co_await all_of_them(all, &self, below);
            break;
        case 9:
            co_await first_of_them(all, &self, below);
            break;
        case 10:
            co_await in_a_group(all, &self, below);
            break;
        case 11:
            co_await limited(all, &self, below);
            break;
        case 12:
            co_await caught(all, &self, below);
            break;
        case 13:
            co_await joined(all, below);
            break;
        default:
            co_await joined_together(all, below);
            break;
    }
}

// Three branches at least, so that few trees are a single leaf.
task<> root_of(tree& all) {
    node self{all, nullptr};
    co_await ringlet::when_all(caught(all, &self, 1), caught(all, &self, 1), all_of_them(all, &self, 1));
}

task<> watch(tree& all, ringlet::job<>*& subject) {
    ringlet::job<> running = ringlet::spawn(root_of, std::ref(all));
    struct until_end {
        ringlet::job<>*& pointer;
        ~until_end() { pointer = nullptr; }
    };
    subject = &running;
    const until_end no_longer{subject};
    co_await running.join();
    co_await running.get();
}

struct tally {
    int completed = 0;
    int cancelled = 0;
    int failed = 0;
    int nodes = 0;
};

void run_one(testing::simulation& world, tally& all_runs) {
    tree all{world, world.seed()};
    const bool cancels = all.below(2) == 0;
    const std::uint64_t turn = all.below(std::uint64_t{1} << (4 + all.below(8)));
    ringlet::job<>* subject = nullptr;
    bool cancelled_it = false;
    world.on_turn([&](std::uint64_t now) {
        if (!cancels || now < turn || !subject || cancelled_it) return;
        cancelled_it = true;
        subject->cancel();
    });
    try {
        world.run(watch(all, subject));
        ++all_runs.completed;
    } catch (const ringlet::cancelled&) {
        ++all_runs.cancelled;
        all.check(cancelled_it, "a tree that nobody cancelled was cancelled");
    } catch (const std::logic_error&) {
        throw;
    } catch (const std::exception&) {
        ++all_runs.failed;
    }
    all_runs.nodes += all.nodes;
    all.check(all.alive == 0, "a task is alive after the run");
    if (!all.wrong.empty()) throw std::logic_error{all.wrong};
}

}  // namespace

TEST_CASE("random trees of tasks end from the leaves to the root", "[sim][trees]") {
    tally all_runs;
    testing::hunt_options options;
    options.seeds = 1000;
    options.faults = testing::fault_plan::everything(0.02);
    options.success_share = 0;
    const auto report = testing::hunt(options, [&](testing::simulation& world) {
        run_one(world, all_runs);
        return true;
    });
    INFO(fmt::format("{}: {} completed, {} cancelled, {} failed, {} tasks", report.to_string(), all_runs.completed,
                     all_runs.cancelled, all_runs.failed, all_runs.nodes));
    CHECK(all_runs.completed > 50);
    CHECK(all_runs.cancelled > 50);
    CHECK(all_runs.failed > 50);
}

TEST_CASE("a random tree is the same tree each time", "[sim][trees]") {
    tally all_runs;
    testing::hunt_options options;
    options.seeds = 50;
    options.faults = testing::fault_plan::everything(0.02);
    options.success_share = 0;
    options.twice = true;
    CHECK_NOTHROW(testing::hunt(options, [&](testing::simulation& world) {
        run_one(world, all_runs);
        return true;
    }));
}
