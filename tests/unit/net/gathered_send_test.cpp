// SPDX-License-Identifier: MIT
// The operations that repeat a request until all is done, against hand-written CQEs.
#include "support.hpp"
#include <ringlet/io/op/read_full.hpp>
#include <ringlet/io/op/sendmsg_all.hpp>
#include <ringlet/io/op/write_all.hpp>

using namespace ringlet;
using namespace ringlet_tests;
using testing::scripted_engine;

namespace {

const io::fd_ref any_fd{77};

// What each SENDMSG asked for, and an answer of at most `most` bytes.
struct short_sends {
    std::size_t most;
    std::string& seen;
    bool operator()(scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_SENDMSG) return false;
        const auto& message = *reinterpret_cast<const msghdr*>(sqe.addr);
        std::size_t left = most;
        for (std::size_t i = 0; i < message.msg_iovlen && left > 0; ++i) {
            const std::size_t n = std::min(left, message.msg_iov[i].iov_len);
            seen.append(static_cast<const char*>(message.msg_iov[i].iov_base), n);
            left -= n;
        }
        seen += '|';
        e.complete(sqe.user_data, static_cast<std::int32_t>(most - left));
        return true;
    }
};

task<std::string> send_parts(std::vector<std::string> texts) {
    std::vector<iovec> parts;
    for (auto& text : texts) parts.push_back(iovec{text.data(), text.size()});
    const std::string end = co_await fate(io::sendmsg_all_op{any_fd, parts});
    co_return end;
}

task<std::string> write_text(std::string text, std::int64_t offset) {
    const std::string end = co_await fate(io::write_all_op{any_fd, as_bytes(text), offset});
    co_return end;
}

}  // namespace

TEST_CASE("a gathered send goes on where a short one stopped", "[net][op]") {
    for (const std::size_t most : {1u, 2u, 3u, 5u, 100u}) {
        CAPTURE(most);
        checked_loop loop;
        std::string seen;
        loop.engine().set_script(short_sends{most, seen});
        CHECK(loop.run(send_parts({"", "ab", "", "cdef", "g", ""})) == "done");
        std::erase(seen, '|');
        CHECK(seen == "abcdefg");
    }
}

TEST_CASE("a gathered send of nothing ends", "[net][op]") {
    checked_loop loop;
    std::string seen;
    loop.engine().set_script(short_sends{10, seen});
    CHECK(loop.run(send_parts({})) == "done");
    CHECK(loop.run(send_parts({"", ""})) == "done");
}

TEST_CASE("an error ends a gathered send, and so does a cancellation with a part sent", "[net][op]") {
    checked_loop loop;
    int call = 0;
    loop.engine().set_script([&](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_SENDMSG) return false;
        e.complete(sqe.user_data, call++ == 0 ? 1 : -ECONNRESET);
        return true;
    });
    CHECK(contains(loop.run(send_parts({"abc"})), "Connection reset by peer"));
    // The cancelled request reports that it sent two bytes: no third request is made.
    loop.engine().set_script([&](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_ASYNC_CANCEL) return false;
        e.complete(sqe.addr, 2);
        return true;
    });
    auto cancel_it = []() -> task<> {
        auto sending = spawn(send_parts, std::vector<std::string>{"abc"});
        co_await sleep(1ms);
        sending.cancel();
        const std::string end = co_await sending.get();
        CHECK(end == "cancelled");
    };
    loop.run(cancel_it());
}

TEST_CASE("write_all advances its offset, and leaves -1 alone", "[net][op]") {
    for (const std::int64_t start : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1} << 40}) {
        checked_loop loop;
        std::vector<std::uint64_t> offsets;
        loop.engine().set_script([&](scripted_engine& e, const io_uring_sqe& sqe) {
            if (sqe.opcode != IORING_OP_WRITE) return false;
            offsets.push_back(sqe.off);
            e.complete(sqe.user_data, std::min<std::int32_t>(2, static_cast<std::int32_t>(sqe.len)));
            return true;
        });
        CHECK(loop.run(write_text("abcde", start)) == "done");
        const auto at = static_cast<std::uint64_t>(start);
        CHECK(offsets == (start < 0 ? std::vector{at, at, at} : std::vector{at, at + 2, at + 4}));
    }
}

TEST_CASE("a disk that is full in the middle of write_all is an error", "[net][op]") {
    checked_loop loop;
    int call = 0;
    loop.engine().set_script([&](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_WRITE) return false;
        e.complete(sqe.user_data, call++ == 0 ? 2 : -ENOSPC);
        return true;
    });
    CHECK(contains(loop.run(write_text("abcde", 0)), "No space left on device"));
}

TEST_CASE("read_full counts what it got before the end", "[net][op]") {
    checked_loop loop;
    int call = 0;
    loop.engine().set_script([&](scripted_engine& e, const io_uring_sqe& sqe) {
        if (sqe.opcode != IORING_OP_READ) return false;
        e.complete(sqe.user_data, call++ < 2 ? 3 : 0);
        return true;
    });
    auto read = []() -> task<std::size_t> {
        std::array<std::byte, 10> buffer{};
        co_return co_await io::read_full_op{any_fd, buffer, 0};
    };
    CHECK(loop.run(read()) == 6);
    CHECK(call == 3);
}
