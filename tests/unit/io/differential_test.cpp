// SPDX-License-Identifier: MIT
// The same scenarios on every engine that there is here, the simulated one among them: the same results and errors, in the
// same order. The ring of the real kernel is right.
#include "differential/scenarios.hpp"
#include <ringlet/io/epoll_engine.hpp>
#include <ringlet/io/uring_engine.hpp>
#include <ringlet/testing/simulation.hpp>

#include <liburing.h>

#include <sstream>

#include <signal.h>

using namespace ringlet_tests;
using namespace ringlet_tests::differential;

namespace {

std::vector<scenario> all_scenarios() {
    std::vector<scenario> all;
    for (const auto& part :
         {socket_scenarios(), datagram_scenarios(), file_scenarios(), pipe_scenarios(), standing_scenarios()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

bool has_uring(std::string& why) {
    try {
        static_cast<void>(make_uring_engine());
        return true;
    } catch (const engine_unavailable& denied) {
        why = denied.what();
        return false;
    }
}

// One that hangs is to say where.
task<> within_limit(const scenario& what, std::string& log) { co_await with_timeout(10s, what.run(log)); }

std::string run_on(std::unique_ptr<engine> backend, const scenario& what) {
    std::string log;
    ringlet::loop loop{std::move(backend), ringlet::loop_options()};
    try {
        loop.run(within_limit(what, log));
    } catch (const std::exception& failure) {
        log += std::string{"failed: "} + failure.what();
    }
    return log;
}

std::string run_simulated(std::uint64_t seed, const scenario& what) {
    std::string log;
    ringlet::testing::simulation world{seed};
    try {
        world.run(within_limit(what, log));
    } catch (const std::exception& failure) {
        log += std::string{"failed: "} + failure.what();
    }
    return log;
}

/// The lines that differ, side by side.
std::string difference(const std::string& expected, const std::string& found) {
    std::istringstream real{expected};
    std::istringstream other{found};
    std::string out;
    for (;;) {
        std::string a;
        std::string b;
        const bool has_a = static_cast<bool>(std::getline(real, a));
        const bool has_b = static_cast<bool>(std::getline(other, b));
        if (!has_a && !has_b) return out;
        if (a != b) out += "\n  expected '" + a + "', not '" + b + "'";
    }
}

}  // namespace

TEST_CASE("an engine that ends waits for the calls that its threads have begun", "[epoll]") {
    const leak_check leaks;
    const folder f;
    const owned_fd file = f.file("a");
    const std::vector<std::byte> much(std::size_t{1} << 20);
    epoll_engine engine{ring_sizes()};
    for (std::uint64_t i = 0; i < 20; ++i) {
        io_uring_sqe& sqe = engine.sqe_at(engine.sq_tail++);
        io_uring_prep_write(&sqe, file.get(), much.data(), static_cast<unsigned>(much.size()), i * much.size());
        sqe.user_data = i;
    }
    engine.enter(0, no_deadline);
}

TEST_CASE("the engines give the same results and errors", "[differential][orderly]") {
    std::string why;
    if (!has_uring(why)) SKIP(why);
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    for (const scenario& one : all_scenarios()) {
        if (one.not_epoll) continue;
        const leak_check leaks;
        const std::string expected = run_on(make_uring_engine(), one);
        INFO(one.name << ", on epoll");
        CHECK(difference(expected, run_on(std::make_unique<epoll_engine>(ring_sizes()), one)) == "");
    }
    ::signal(SIGPIPE, before);
}

TEST_CASE("the simulated kernel gives the same results and errors as the real one", "[differential][orderly]") {
    std::string why;
    if (!has_uring(why)) SKIP(why);
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    for (const scenario& one : all_scenarios()) {
        if (one.not_simulated) continue;
        const std::string expected = run_on(make_uring_engine(), one);
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            INFO(one.name << ", simulated with seed " << seed);
            CHECK(difference(expected, run_simulated(seed, one)) == "");
        }
    }
    ::signal(SIGPIPE, before);
}
