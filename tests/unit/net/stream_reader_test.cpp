// SPDX-License-Identifier: MIT
#include "support.hpp"
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/net/stream_reader.hpp>

#include <limits>

using namespace ringlet;
using namespace ringlet_tests;
using net::stream_reader;

namespace {

using text_or_end = std::optional<std::string>;

void put(net::tcp_stream& to, std::string_view text) {
    REQUIRE(::send(to.socket().get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}
unsigned leased() { return io::loop::current().buffers().leased(); }

task<> lines() {
    auto [here, there] = stream_pair();
    put(there, "one\ntwo\r\n\n\r\nthree\rfour\nlast");
    there.close();
    stream_reader reader{here};
    std::vector<std::string> all;
    while (text_or_end line = co_await reader.line()) all.push_back(*line);
    CHECK(all == std::vector<std::string>{"one", "two", "", "", "three\rfour", "last"});
    const text_or_end after_end = co_await reader.line();
    CHECK_FALSE(after_end);
    CHECK(leased() == 0);
}

task<> no_limit() {
    constexpr auto none = std::numeric_limits<std::size_t>::max();
    auto [here, there] = stream_pair();
    stream_reader reader{here};
    const auto in_pieces = [](net::tcp_stream& to) -> task<> {
        put(to, "one ");
        co_await sleep(1ms);
        put(to, "line\none ");
        co_await sleep(1ms);
        put(to, "message--");
    };
    auto writer = spawn(in_pieces, std::ref(there));
    const text_or_end line = co_await reader.line(none);
    CHECK(line == "one line");
    const text_or_end message = co_await reader.until("--", none);
    CHECK(message == "one message");
    co_await writer.get();
}

task<> line_in_pieces() {
    auto [here, there] = stream_pair();
    stream_reader reader{here};
    auto line = [](stream_reader& r) -> task<text_or_end> { co_return co_await r.line(100); };
    auto waiting = spawn(line, std::ref(reader));
    for (const char* piece : {"a", "bc", "\r", "\nrest"}) {
        put(there, piece);
        co_await sleep(1ms);
    }
    const text_or_end got = co_await waiting.get();
    CHECK(got == "abc");
    CHECK(as_text(reader.peek()) == "rest");
}

// A buffer of the loop is held neither while idle nor while a message is incomplete.
task<> buffers_held() {
    auto [here, there] = stream_pair();
    stream_reader reader{here};
    const result<text_or_end> idle = co_await as_result(with_timeout(1ms, reader.line()));
    CHECK(idle.error() == std::errc::timed_out);
    CHECK(leased() == 0);
    auto line = [](stream_reader& r) -> task<text_or_end> { co_return co_await r.line(); };
    auto half = spawn(line, std::ref(reader));
    put(there, "half");
    while (reader.peek().empty()) co_await sleep(1ms);
    CHECK(leased() == 0);
    half.cancel();
    try {
        static_cast<void>(co_await half.get());
        FAIL_CHECK("a cancelled read went on");
    } catch (const cancelled&) {
    }
    CHECK(as_text(reader.peek()) == "half");  // and no byte is lost
    put(there, " a line\nmore");
    const text_or_end whole = co_await reader.line();
    CHECK(whole == "half a line");
    reader.consume(4);
    CHECK(leased() == 0);
}

task<> limits() {
    auto [here, there] = stream_pair();
    put(there, "12345\n123456\n");
    stream_reader reader{here};
    const text_or_end fits = co_await reader.line(5);
    CHECK(fits == "12345");
    const result<text_or_end> long_one = co_await as_result(reader.line(5));
    CHECK(long_one.error() == net::errc::too_long);
    CHECK(long_one.error() == std::errc::message_size);
    CHECK(as_text(reader.peek()) == "123456\n");
    const text_or_end again = co_await reader.line(6);
    CHECK(again == "123456");
    put(there, std::string(5000, 'x'));
    const result<text_or_end> endless = co_await as_result(reader.line(100));
    CHECK(endless.error() == net::errc::too_long);
}

task<> messages_until() {
    auto [here, there] = stream_pair();
    put(there, "head: 1\r\n\r\nbody\r");
    stream_reader reader{here};
    const text_or_end head = co_await reader.until("\r\n\r\n");
    CHECK(head == "head: 1");
    const result<text_or_end> none = co_await as_result(with_timeout(1ms, reader.until("\r\n")));
    CHECK(none.error() == std::errc::timed_out);
    put(there, "\n");  // the delimiter comes in two pieces
    const text_or_end body = co_await reader.until("\r\n");
    CHECK(body == "body");
    put(there, "12345||");
    const result<text_or_end> too_long = co_await as_result(reader.until("||", 4));
    CHECK(too_long.error() == net::errc::too_long);
    const text_or_end fits = co_await reader.until("||", 5);
    CHECK(fits == "12345");
    put(there, "unfinished");
    there.close();
    const result<text_or_end> cut = co_await as_result(reader.until("||"));
    CHECK(cut.error() == net::errc::unexpected_end);
    reader.consume(10);
    const text_or_end end = co_await reader.until("||");
    CHECK_FALSE(end);
}

task<> exact_sizes() {
    auto [here, there] = stream_pair();
    put(there, "abcdefg");
    stream_reader reader{here};
    std::array<std::byte, 3> three{};
    bool all = co_await reader.exact(three);
    CHECK(all);
    CHECK(as_text(three) == "abc");
    std::array<std::byte, 6> six{};
    const result<bool> early = co_await as_result(with_timeout(1ms, reader.exact(six)));
    CHECK(early.error() == std::errc::timed_out);
    put(there, "hi");
    all = co_await reader.exact(six);
    CHECK(as_text(six) == "defghi");
    put(there, "xy");
    there.close();
    const result<bool> cut = co_await as_result(reader.exact(three));
    CHECK(cut.error() == net::errc::unexpected_end);
    std::size_t n = co_await reader.read_some(six);
    CHECK(n == 2);
    n = co_await reader.read_some(six);
    CHECK(n == 0);
    all = co_await reader.exact(three);
    CHECK_FALSE(all);
}

task<std::string> next_line(stream_reader& reader) {
    const text_or_end line = co_await reader.line();
    co_return line.value_or("(end)");
}

// Cancelled at every stage, a read leaves the bytes for the next.
task<> cancelled_reads() {
    auto [here, there] = stream_pair();
    stream_reader reader{here};
    put(there, "first\nsecond\n");
    auto one = spawn(next_line, std::ref(reader));
    one.cancel();
    co_await one.join();
    auto two = spawn(next_line, std::ref(reader));
    co_await yield();
    two.cancel();  // in flight, or complete: either the line came out or it stays
    co_await two.join();
    const text_or_end line = co_await reader.line();
    CHECK((line == "first" || line == "second"));
    auto three = spawn(next_line, std::ref(reader));
    co_await yield();
    three.cancel();
    std::string got = "cancelled";
    try {
        got = co_await three.get();
    } catch (const cancelled&) {
    }
    if (line == "first" && got == "cancelled") {
        const text_or_end second = co_await reader.line();
        CHECK(second == "second");
    }
    there.close();
    const text_or_end end = co_await reader.line();
    CHECK_FALSE(end);
}

task<> long_stream() {
    auto [here, there] = stream_pair();
    auto write = [](net::tcp_stream& to) -> task<> {
        std::string text;
        for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + "\n";
        co_await to.send_all(as_bytes(text));
        co_await to.shutdown_send();
    };
    auto writer = spawn(write, std::ref(there));
    stream_reader reader{here};
    int count = 0;
    bool in_order = true;
    while (text_or_end line = co_await reader.line()) in_order = in_order && *line == std::to_string(count++);
    CHECK(count == 20'000);
    CHECK(in_order);
    co_await writer.get();
}

}  // namespace

TEST_CASE("lines end with LF or CR LF, and the last may lack it", "[net][reader]") { run(lines); }
TEST_CASE("a line may come in pieces", "[net][reader]") { run(line_in_pieces); }
TEST_CASE("a reader holds a loop's buffer only while bytes are unread", "[net][reader]") { run(buffers_held); }
TEST_CASE("an over-long line is refused and stays unread", "[net][reader]") { run(limits); }
TEST_CASE("a limit of SIZE_MAX is none", "[net][reader]") { run(no_limit); }
TEST_CASE("until() finds delimiters across pieces", "[net][reader]") { run(messages_until); }
TEST_CASE("exact() fills the span or takes nothing", "[net][reader]") { run(exact_sizes); }
TEST_CASE("a cancelled read loses no byte", "[net][reader]") { run(cancelled_reads); }
TEST_CASE("20,000 lines come in order", "[net][reader]") { run(long_stream); }
