// SPDX-License-Identifier: MIT
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/pipe.hpp>
#include <ringlet/os/process_queue.hpp>
#include <ringlet/os/ready.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/os/standard_input.hpp>

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace ringlet_tests {
namespace {

task<> waits_to_read(testing::simulation&) {
    pipe_ends pipe = make_pipe();
    co_await times_out(ringlet::os::readable(pipe.reading));
    co_await ringlet::when_all(ringlet::os::readable(pipe.reading), write_later(pipe.writing, "late"));
    co_await ringlet::os::readable(pipe.reading);
    pipe.writing.reset();
    co_await ringlet::os::readable(pipe.reading);
}

task<> read_later(io::fd_ref from, std::span<std::byte> into) {
    co_await ringlet::sleep(2ms);
    co_await io::read_op{from, into};
}

task<> waits_to_write(testing::simulation&) {
    pipe_ends pipe = make_pipe();
    co_await ringlet::os::writable(pipe.writing);
    std::vector<std::byte> filling(65536);
    co_await io::write_op{pipe.writing, filling};
    co_await times_out(ringlet::os::writable(pipe.writing));
    co_await ringlet::when_all(ringlet::os::writable(pipe.writing), read_later(pipe.reading, filling));
}

void signal_later(testing::simulation& world, int number) {
    world.after(2ms, [&world, number] { world.signal(number); });
}

// Nobody waits for the signal when this was cancelled: it must not end the process then.
task<> until_signal_of(testing::simulation& world, task<int> waiting, int number) {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, number);
    io::sys::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
    signal_later(world, number);
    const int got = co_await std::move(waiting);
    expect(got == number, "another signal");
}

task<> waits_for_signals(testing::simulation& world) {
    co_await times_out(ringlet::until_signal(SIGUSR1, SIGTERM));
    co_await until_signal_of(world, ringlet::until_signal(SIGUSR1, SIGTERM), SIGTERM);
}

task<> waits_for_one_of(testing::simulation& world) {
    const ringlet::os::signal_set wanted{SIGHUP, SIGINT};
    co_await times_out(ringlet::os::until_one_of(wanted));
    co_await until_signal_of(world, ringlet::os::until_one_of(wanted), SIGINT);
}

task<std::string> read_input_once() {
    std::array<std::byte, 64> block{};
    auto input = ringlet::standard_input();
    const std::size_t n = co_await input.read(block);
    co_return std::string{as_text(std::span{block}.first(n))};
}

task<> reads_input(testing::simulation& world) {
    world.type("early");
    const std::string early = co_await read_input_once();
    expect(early == "early", "other bytes were typed");
    world.after(2ms, [&world] { world.type("late"); });
    const std::string late = co_await read_input_once();
    expect(late == "late", "other bytes were typed");
    co_await times_out(read_input_once());
    world.end_input();
    const std::string end = co_await read_input_once();
    expect(end.empty(), "something came after the end");
}

task<> reads_lines(testing::simulation& world) {
    ringlet::line_reader lines{ringlet::standard_input(), 20};
    world.type("one\r\ntwo\nbeg");
    const auto one = co_await lines.next();
    const auto two = co_await lines.next();
    expect(one == "one" && two == "two", "other lines");
    co_await times_out(lines.next());
    world.after(2ms, [&world] { world.type("un\na line that is longer than the limit\nlast"); });
    const auto begun = co_await lines.next();
    expect(begun == "begun", "a line that came in pieces is another one");
    const auto too_long = co_await ringlet::as_result(lines.next());
    expect_error(too_long, std::errc::message_size, "a line was longer than its limit");
    world.end_input();
    const auto last = co_await lines.next();
    const auto end = co_await lines.next();
    expect(last == "last" && !end, "the last line is another one");
}

// --- pipes ---

task<std::string> read_pipe_once(ringlet::os::pipe_reader& from) {
    std::array<std::byte, 64> block{};
    const std::size_t n = co_await from.read(block);
    co_return std::string{as_text(std::span{block}.first(n))};
}

task<> reads_pipe(testing::simulation&) {
    pipe_ends pipe = make_pipe();
    ringlet::os::pipe_reader reader{std::move(pipe.reading)};
    const auto late = co_await ringlet::when_all(read_pipe_once(reader), write_later(pipe.writing, "late"));
    expect(std::get<0>(late) == "late", "other bytes than were written");
    co_await times_out(read_pipe_once(reader));
    pipe.writing.reset();
    const std::string end = co_await read_pipe_once(reader);
    expect(end.empty(), "something came after the end");
}

task<> write_in_pieces(ringlet::os::pipe_writer& to, std::string text) {
    const std::size_t n = co_await to.write(as_bytes(text));
    co_await ringlet::sleep(1ms);
    co_await to.write_all(as_bytes(text).subspan(n));
    to.close();
}

task<> reads_all_of_pipe(testing::simulation&) {
    const std::string text(large_bytes, 'x');  // more than the pipe holds
    {
        pipe_ends pipe = make_pipe();
        ringlet::os::pipe_reader reader{std::move(pipe.reading)};
        ringlet::os::pipe_writer writer{std::move(pipe.writing)};
        const auto all = co_await ringlet::when_all(reader.read_all(), write_in_pieces(writer, text));
        expect(std::get<0>(all) == text, "other bytes than were written");
    }
    pipe_ends pipe = make_pipe();
    ringlet::os::pipe_reader reader{std::move(pipe.reading)};
    ringlet::os::pipe_writer writer{std::move(pipe.writing)};
    co_await writer.write_all(as_bytes("12345"));
    const auto too_much = co_await ringlet::as_result(reader.read_all(4));
    expect_error(too_much, std::errc::message_size, "a pipe gave more than its limit");
}

// --- process_queue: there is one process here ---

using numbers = ringlet::os::process_queue<int>;

task<> put_later(numbers& to, int first, int count) {
    co_await ringlet::sleep(2ms);
    for (int i = first; i < first + count; ++i) co_await to.put(i);
}
task<> get_in_order(numbers& from, int first, int count) {
    co_await ringlet::sleep(5ms);
    for (int i = first; i < first + count; ++i) {
        const std::optional<int> got = co_await from.get();
        expect(got == i, "an item was lost, or came twice");
    }
}

task<> puts_items(testing::simulation&) {
    numbers queue{2};
    co_await ringlet::when_all(put_later(queue, 1, 4), get_in_order(queue, 1, 4));
    expect(queue.empty(), "more is in the queue than was put");
    co_await put_later(queue, 5, 2);
    co_await times_out(queue.put(7));
    expect(queue.full(), "what was not put is in the queue");
    co_await get_in_order(queue, 5, 2);
    queue.close();
    const auto closed = co_await ringlet::as_result(queue.put(8));
    expect_error(closed, std::errc::broken_pipe, "a closed queue took an item");
}

task<> gets_items(testing::simulation&) {
    numbers queue{2};
    co_await times_out(queue.get());
    co_await ringlet::when_all(get_in_order(queue, 1, 4), put_later(queue, 1, 4));
    co_await put_later(queue, 5, 1);
    queue.close();
    co_await get_in_order(queue, 5, 1);
    const std::optional<int> end = co_await queue.get();
    expect(!end, "a closed queue gave more than was put");
}

task<> drains_queue(testing::simulation&) {
    numbers queue{2};
    co_await queue.join();
    co_await put_later(queue, 1, 2);
    co_await times_out(queue.join());
    co_await ringlet::when_all(queue.join(), get_in_order(queue, 1, 2));
    expect(queue.empty(), "join ended before the queue was empty");
}

constexpr awaitable_row rows[] = {
    {"os::readable(io::fd_ref)", &waits_to_read},
    {"os::writable(io::fd_ref)", &waits_to_write},
    {"os::until_one_of(signal_set)", &waits_for_one_of},
    {"until_signal(Numbers...)", &waits_for_signals},
    {"os::input::read(std::span<std::byte>)", &reads_input},
    {"line_reader::next()", &reads_lines},
    {"os::pipe_reader::read(std::span<std::byte>)", &reads_pipe},
    {"os::pipe_reader::read_all(std::size_t)", &reads_all_of_pipe},
    {"os::pipe_writer::write(std::span<const std::byte>)", &reads_all_of_pipe},
    {"os::pipe_writer::write_all(std::span<const std::byte>)", &reads_all_of_pipe},
    {"os::process_queue::put(T)", &puts_items},
    {"os::process_queue::get()", &gets_items},
    {"os::process_queue::join()", &drains_queue},
};

}  // namespace

std::span<const awaitable_row> os_rows() noexcept { return rows; }

}  // namespace ringlet_tests
