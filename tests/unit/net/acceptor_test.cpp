// SPDX-License-Identifier: MIT
// io::acceptor against hand-written CQEs: which comes first, and what is closed. Descriptors are real ones of /dev/null.
#include "support.hpp"
#include <ringlet/io/acceptor.hpp>

#include <memory>
#include <optional>

#include <fcntl.h>

using namespace ringlet;
using namespace ringlet_tests;
using testing::scripted_engine;

namespace {

int some_fd() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

task<> accept_some(io::acceptor& from, std::vector<std::string>& log, int count) {
    for (int i = 0; i < count; ++i) {
        const result<io::owned_fd> got = co_await as_result(from.accept());
        log.push_back(got ? "fd" : got.error().message());
    }
}

task<> accept_then_cancel(io::acceptor& from, std::vector<std::string>& log) {
    auto waiting = spawn(accept_some, std::ref(from), std::ref(log), 1);
    co_await sleep(1ms);
    waiting.cancel();
    co_await waiting.join();
    co_await sleep(10ms);
}

std::size_t accepts_submitted(const scripted_engine& engine) {
    std::size_t n = 0;
    for (const auto& sqe : engine.submitted()) n += sqe.opcode == IORING_OP_ACCEPT ? 1 : 0;
    return n;
}

}  // namespace

TEST_CASE("one multishot request serves many waits, and is armed again when it ended", "[net][acceptor]") {
    checked_loop loop;
    scripted_engine& engine = loop.engine();
    std::vector<std::string> log;
    engine.set_script([](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ACCEPT) return false;
        CHECK((sqe.ioprio & IORING_ACCEPT_MULTISHOT) != 0);
        e.complete(sqe.user_data, some_fd(), IORING_CQE_F_MORE);
        e.complete(sqe.user_data, some_fd(), IORING_CQE_F_MORE);
        e.complete(sqe.user_data, some_fd(), 0);  // CQ overflow ends a multishot
        return true;
    });
    io::acceptor acceptor{io::owned_fd{some_fd()}};
    loop.run(accept_some(acceptor, log, 4));
    CHECK(log == std::vector<std::string>(4, "fd"));
    CHECK(accepts_submitted(engine) == 2);
}

TEST_CASE("a listener that goes while a job waits in accept says what to do", "[net][acceptor][abort]") {
    CHECK(contains(last_words([] {
                       checked_loop loop;
                       loop.run([]() -> task<> {
                           auto gone = std::make_unique<io::acceptor>(io::owned_fd{some_fd()});
                           std::vector<std::string> log;
                           auto waiter = spawn(accept_some, std::ref(*gone), std::ref(log), 1);
                           co_await yield();
                           gone.reset();
                           co_await waiter.join();
                       }());
                   }),
                   "was destroyed while a job waits in accept: cancel and join that job first"));
}

TEST_CASE("an error ends the wait, and the next wait arms again", "[net][acceptor]") {
    checked_loop loop;
    scripted_engine& engine = loop.engine();
    std::vector<std::string> log;
    int call = 0;
    engine.set_script([&](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ACCEPT) return false;
        e.complete(sqe.user_data, call++ == 0 ? -EMFILE : some_fd(), 0);
        return true;
    });
    io::acceptor acceptor{io::owned_fd{some_fd()}};
    loop.run(accept_some(acceptor, log, 2));
    CHECK(log == std::vector<std::string>{"Too many open files", "fd"});
}

TEST_CASE("a kernel without multishot accept gets single ones", "[net][acceptor]") {
    checked_loop loop;
    scripted_engine& engine = loop.engine();
    std::vector<std::string> log;
    engine.set_script([&](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ACCEPT) return false;
        e.complete(sqe.user_data, (sqe.ioprio & IORING_ACCEPT_MULTISHOT) != 0 ? -EINVAL : some_fd(), 0);
        return true;
    });
    io::acceptor acceptor{io::owned_fd{some_fd()}};
    loop.run(accept_some(acceptor, log, 2));
    CHECK(log == std::vector<std::string>{"fd", "fd"});
    CHECK(accepts_submitted(engine) == 3);
}

TEST_CASE("a connection that comes after its wait was cancelled goes to the next wait", "[net][acceptor]") {
    checked_loop loop;
    scripted_engine& engine = loop.engine();
    std::vector<std::string> log;
    engine.at(5ms, [](scripted_engine& e) {
        e.complete(e.pending_operation(IORING_OP_ACCEPT).user_data, some_fd(), IORING_CQE_F_MORE);
    });
    io::acceptor acceptor{io::owned_fd{some_fd()}};
    loop.run(accept_then_cancel(acceptor, log));
    CHECK(log.empty());
    loop.run(accept_some(acceptor, log, 1));  // in a second run, too
    CHECK(log == std::vector<std::string>{"fd"});
}

TEST_CASE("destroyed while armed, it closes what still comes and frees itself at the last CQE", "[net][acceptor]") {
    checked_loop loop;
    scripted_engine& engine = loop.engine();
    std::vector<std::string> log;
    // The cancel request finds a multishot that posts one more connection first.
    engine.set_script([](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ASYNC_CANCEL) return false;
        e.complete(sqe.addr, some_fd(), IORING_CQE_F_MORE);
        e.complete(sqe.addr, some_fd(), IORING_CQE_F_MORE);
        e.complete(sqe.addr, -ECANCELED, 0);
        e.complete(sqe.user_data, -EALREADY, 0);
        return true;
    });
    std::optional<io::acceptor> acceptor{io::owned_fd{some_fd()}};
    auto scenario = [](std::optional<io::acceptor>& a, std::vector<std::string>& l) -> task<> {
        co_await accept_then_cancel(*a, l);
        a.reset();
        co_await sleep(1ms);
    };
    loop.run(scenario(acceptor, log));
    CHECK(log.empty());
    CHECK(engine.pending() == 0);
}

TEST_CASE("too many kept connections pause accepting until they are taken", "[net][acceptor]") {
    checked_loop loop;
    scripted_engine& engine = loop.engine();
    std::vector<std::string> log;
    engine.at(1ms, [](scripted_engine& e) {
        const auto request = e.pending_operation(IORING_OP_ACCEPT).user_data;
        for (std::size_t i = 0; i < io::acceptor::kept_max + 2; ++i) e.complete(request, some_fd(), IORING_CQE_F_MORE);
    });
    io::acceptor acceptor{io::owned_fd{some_fd()}};
    auto scenario = [](io::acceptor& a, std::vector<std::string>& l, scripted_engine& e) -> task<> {
        co_await accept_some(a, l, 1);
        co_await sleep(10ms);
        CHECK(e.pending() == 0);  // paused
        co_await accept_some(a, l, static_cast<int>(io::acceptor::kept_max) + 1);
        CHECK(accepts_submitted(e) == 1);
        const std::string none = co_await fate(with_timeout(1ms, a.accept()));
        CHECK(contains(none, "limit of 1 ms exceeded"));
        CHECK(accepts_submitted(e) == 2);
    };
    loop.run(scenario(acceptor, log, engine));
    CHECK(log.size() == io::acceptor::kept_max + 2);
}
