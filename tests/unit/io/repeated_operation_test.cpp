// SPDX-License-Identifier: MIT
// Operations that may take more than one request.
#include "io/operation_cases.hpp"
#include <ringlet/time/sleep.hpp>

#include <array>
#include <functional>
#include <string>
#include <vector>

using namespace ringlet_tests;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;

namespace {

/// Answers each request with the next of some results.
auto answer_with(std::vector<int> results, std::vector<io_uring_sqe>& seen) {
    return [results = std::move(results), &seen](auto& engine, const io_uring_sqe& sqe) mutable {
        seen.push_back(sqe);
        if (results.empty()) return sqe.opcode != IORING_OP_ASYNC_CANCEL;
        const int res = results.front();
        results.erase(results.begin());
        engine.complete(sqe.user_data, res);
        return true;
    };
}

}  // namespace

TEST_CASE("send_all goes on after short sends with what is left", "[repeated]") {
    checked_loop loop;
    std::vector<io_uring_sqe> seen;
    loop.engine().set_script(answer_with({5, 1, 10}, seen));
    CHECK(loop.run(fate(send_all_op{mine.ref, mine.bytes})) == "done");
    REQUIRE(seen.size() == 3);
    CHECK(seen[1].addr == address_of(mine.bytes.data() + 5));
    CHECK(seen[2].addr == address_of(mine.bytes.data() + 6));
    CHECK(seen[2].len == 10);
}

TEST_CASE("write_all moves its offset on, and read_full ends at the end of the file", "[repeated]") {
    checked_loop loop;
    std::vector<io_uring_sqe> seen;
    loop.engine().set_script(answer_with({6, 10, 4, 0}, seen));
    CHECK(loop.run(fate(write_all_op{mine.ref, mine.bytes, 100})) == "done");
    CHECK(seen.back().off == 106);
    CHECK(loop.run([]() -> task<std::size_t> { co_return co_await read_full_op{mine.ref, mine.bytes, 200}; }()) == 4);
    CHECK(seen.back().off == 204);
    CHECK(seen.back().len == 12);
}

TEST_CASE("sendmsg_all goes on in the middle of a part", "[repeated]") {
    checked_loop loop;
    std::vector<std::vector<std::size_t>> lengths;
    std::vector<int> results{7, 1, 12};
    loop.engine().set_script([&](auto& engine, const io_uring_sqe& sqe) {
        const auto& message = *reinterpret_cast<const msghdr*>(sqe.addr);
        auto& now = lengths.emplace_back();
        for (std::size_t i = 0; i < message.msg_iovlen; ++i) now.push_back(message.msg_iov[i].iov_len);
        engine.complete(sqe.user_data, results[lengths.size() - 1]);
        return true;
    });
    std::array<iovec, 4> parts{iovec{mine.bytes.data(), 4}, iovec{mine.bytes.data(), 0}, iovec{mine.bytes.data(), 6},
                               iovec{mine.bytes.data(), 10}};
    CHECK(loop.run(fate(sendmsg_all_op{mine.ref, parts})) == "done");
    CHECK(lengths == std::vector<std::vector<std::size_t>>{{4, 0, 6, 10}, {3, 10}, {2, 10}});
}

TEST_CASE("a splice that a signal broke off is asked for again", "[repeated]") {
    constexpr int restart_sys = 512;  // what no system call would show
    for (const int interruption : {EINTR, restart_sys}) {
        checked_loop loop;
        std::vector<io_uring_sqe> seen;
        loop.engine().set_script(answer_with({-interruption, -interruption, 7}, seen));
        const auto move = []() -> task<std::size_t> {
            co_return co_await splice_op{mine.ref, 8, mine.other_ref, -1, 4096, SPLICE_F_MOVE};
        };
        CHECK(loop.run(move()) == 7);
        REQUIRE(seen.size() == 3);
        CHECK(splice_case::check(seen[2]));
    }
}

TEST_CASE("a short send that races its cancellation is not continued", "[repeated]") {
    checked_loop loop;
    loop.engine().set_script([](auto& engine, const io_uring_sqe& sqe) {
        if (sqe.opcode == IORING_OP_ASYNC_CANCEL) {
            engine.complete(sqe.user_data, -EALREADY);
            engine.complete(engine.pending_operation(IORING_OP_SEND).user_data, 5);
        }
        return true;
    });
    loop.run([]() -> task<> {
        auto j = spawn([]() -> task<> { co_await send_all_op{mine.ref, mine.bytes}; });
        co_await sleep(1ms);
        j.cancel();
        const std::string text = co_await fate(j.get());
        CHECK(text == "cancelled");
    }());
    CHECK(loop.engine().submitted().size() == 2);
}
