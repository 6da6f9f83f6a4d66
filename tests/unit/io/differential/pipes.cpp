// SPDX-License-Identifier: MIT
#include "scenarios.hpp"
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/op/write.hpp>

#include <sys/eventfd.h>

namespace ringlet_tests::differential {
namespace {

task<> pipes(std::string& log) {
    pipe_pair p;
    std::array<std::byte, 8> room{};
    auto reader = later("late read", read_op{p.out, room});
    co_await settle();
    co_await note(log, "write", write_op{p.in, bytes_of("hello")});
    co_await join(log, reader);
    co_await note(log, "read nothing", read_op{p.out, nothing});
    co_await note(log, "write nothing", write_op{p.in, bytes_of("")});
    co_await note(log, "write at an offset", write_op{p.in, bytes_of("at"), 7});
    co_await note(log, "read at an offset", read_op{p.out, room, 7});
    co_await note(log, "fsync", fsync_op{p.in});
    co_await note(log, "read the wrong end", read_op{p.in, room});
    co_await note(log, "write the wrong end", write_op{p.out, bytes_of("x")});
    auto ending = later("read as it ends", read_op{p.out, room});
    co_await settle();
    p.in.reset();
    co_await join(log, ending);
    co_await note(log, "end", read_op{p.out, room});
    pipe_pair q;
    q.out.reset();
    co_await note(log, "broken", write_op{q.in, bytes_of("x")});
    co_await note(log, "nothing to a broken one", write_op{q.in, bytes_of("")});
    pipe_pair full;
    const std::string much(65536, 'x');
    std::size_t written = 0;
    while (written < much.size()) written += co_await write_op{full.in, bytes_of(much)};
    co_await note_limit(log, "full", write_op{full.in, bytes_of("x")});
    auto waiting = later("write as it breaks", write_op{full.in, bytes_of("x")});
    co_await settle();
    full.out.reset();
    co_await join(log, waiting);
}

task<> events(std::string& log) {
    const owned_fd event{sys::eventfd(3, EFD_CLOEXEC)};
    std::array<std::byte, 8> room{};
    co_await note(log, "read", read_op{event, room});
    log += std::to_string(std::to_integer<int>(room[0])) + '\n';
    const std::uint64_t two = 2;
    co_await note(log, "write two", write_op{event, std::as_bytes(std::span{&two, 1})});
    co_await note(log, "read little", read_op{event, std::span{room}.first(4)});
    co_await note(log, "read two", read_op{event, room});
    auto reader = later("late read", read_op{event, room});
    co_await settle();
    const std::uint64_t five = 5;
    co_await note(log, "write", write_op{event, std::as_bytes(std::span{&five, 1})});
    co_await join(log, reader);
    co_await note(log, "write little", write_op{event, bytes_of("x")});
    const std::uint64_t too_much = UINT64_MAX;
    co_await note(log, "write too much", write_op{event, std::as_bytes(std::span{&too_much, 1})});
    co_await note(log, "recv", recv_op{event, room});
}

task<> splices(std::string& log) {
    const folder f;
    const owned_fd file = f.file("a", O_RDWR | O_CREAT, "spliced");
    std::array<std::byte, 8> room{};
    pipe_pair r;
    co_await note(log, "from a file", splice_op{file, 0, r.in, -1, 100});
    co_await note(log, "read it", read_op{r.out, room});
    co_await note(log, "from the end of a file", splice_op{file, 7, r.in, -1, 100});
    co_await note(log, "from where the file is", splice_op{file, -1, r.in, -1, 100});
    co_await note(log, "nothing", splice_op{file, 0, r.in, -1, 0});
    pipe_pair source;
    pipe_pair sink;
    auto splicing = later("late splice", splice_op{source.out, -1, sink.in, -1, 10});
    co_await settle();
    co_await write_op{source.in, bytes_of("late")};
    co_await join(log, splicing);
    co_await note(log, "read what was spliced", read_op{sink.out, room});
    co_await note(log, "no pipe", splice_op{file, 0, file, 0, 100});
    co_await note(log, "an offset for a pipe", splice_op{source.out, 1, sink.in, -1, 10});
    co_await note(log, "an offset for the other pipe", splice_op{source.out, -1, sink.in, 1, 10});
    co_await note(log, "a pipe and itself", splice_op{source.out, -1, source.in, -1, 10});
    co_await note(log, "the wrong end", splice_op{source.in, -1, sink.in, -1, 10});
    co_await note(log, "to the wrong end", splice_op{source.out, -1, sink.out, -1, 10});
    co_await note(log, "from no descriptor", splice_op{fd_ref{-1}, -1, sink.in, -1, 10});
    co_await note(log, "to no descriptor", splice_op{source.out, -1, fd_ref{-1}, -1, 10});
    co_await note(log, "in a strange way", splice_op{source.out, -1, sink.in, -1, 10, 1U << 10});
    co_await write_op{source.in, bytes_of("to a file")};
    co_await note(log, "to a file", splice_op{source.out, -1, file, 2, 5});
    co_await note(log, "read the file", read_op{file, room, 2});
    co_await note(log, "the rest of the pipe", read_op{source.out, room});
    const owned_fd appending = f.file("a", O_WRONLY | O_APPEND);
    co_await write_op{source.in, bytes_of("x")};
    co_await note(log, "to the end of a file", splice_op{source.out, -1, appending, -1, 5});
    const owned_fd read_only = f.file("a", O_RDONLY);
    co_await note(log, "to what is open for reading", splice_op{source.out, -1, read_only, 0, 5});
    co_await note(log, "the pipe still has it", read_op{source.out, room});

    tcp_pair s;
    co_await make(s);
    co_await write_op{source.in, bytes_of("to TCP")};
    co_await note(log, "to a socket", splice_op{source.out, -1, s.a, -1, 100});
    co_await settle();
    co_await note(log, "received", recv_op{s.b, room});
    co_await note(log, "sent", send_op{s.a, bytes_of("from TCP")});
    co_await settle();
    co_await note(log, "from a socket", splice_op{s.b, -1, sink.in, -1, 100});
    co_await note(log, "read from it", read_op{sink.out, room});
    auto waiting = later("late splice from a socket", splice_op{s.b, -1, sink.in, -1, 100});
    co_await settle();
    co_await shutdown_op{s.a, SHUT_WR};
    co_await join(log, waiting);
    auto ending = later("splice as the pipe ends", splice_op{source.out, -1, sink.in, -1, 10});
    co_await settle();
    source.in.reset();
    co_await join(log, ending);
    pipe_pair broken;
    broken.out.reset();
    co_await note(log, "to a broken pipe", splice_op{file, 0, broken.in, -1, 5});
}

// The flags that are given, at once and after a wait.
task<> polls(std::string& log) {
    constexpr unsigned all = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP;
    local_pair s;
    co_await note(log, "writable", poll_op{s.a, POLLOUT});
    co_await note(log, "all of a local socket", poll_op{s.a, all});
    auto normal = later("normal", poll_op{s.b, POLLRDNORM});
    co_await settle();
    co_await send_op{s.a, bytes_of("x")};
    co_await join(log, normal);
    std::array<std::byte, 8> taken{};
    co_await recv_op{s.b, taken};
    auto waiting = later("readable", poll_op{s.b, POLLIN});
    co_await settle();
    co_await send_op{s.a, bytes_of("x")};
    co_await join(log, waiting);
    co_await note(log, "both", poll_op{s.b, POLLIN | POLLOUT});
    s.a.reset();
    co_await note(log, "hung up", poll_op{s.b, POLLIN | POLLOUT});
    const owned_fd event{sys::eventfd(0, EFD_CLOEXEC)};
    auto ringing = later("event", poll_op{event, POLLIN});
    co_await settle();
    const std::uint64_t one = 1;
    CHECK(sys::write(event.get(), &one, sizeof one) == sizeof one);
    co_await join(log, ringing);
    co_await note(log, "all of an event", poll_op{event, all});
    co_await note(log, "no descriptor", poll_op{fd_ref{-1}, POLLIN});
    const folder f;
    const owned_fd file = f.file("a");
    co_await note(log, "a file", poll_op{file, POLLIN});
    co_await note(log, "all of a file", poll_op{file, all});
    const owned_fd udp = udp_socket();
    co_await note(log, "all of a socket of UDP", poll_op{udp, all});

    pipe_pair p;
    co_await note(log, "all of an empty pipe", poll_op{p.in, all});
    auto pipe_waiting = later("a pipe", poll_op{p.out, POLLIN});
    co_await settle();
    co_await write_op{p.in, bytes_of("x")};
    co_await join(log, pipe_waiting);
    co_await note(log, "all of a pipe", poll_op{p.out, all});
    p.in.reset();
    co_await note(log, "a pipe without a writer", poll_op{p.out, all});
    pipe_pair q;
    auto breaking = later("a pipe as its writer goes", poll_op{q.out, POLLIN});
    co_await settle();
    q.in.reset();
    co_await join(log, breaking);
    pipe_pair b;
    b.out.reset();
    co_await note(log, "a pipe without a reader", poll_op{b.in, all});
}

task<> socket_polls(std::string& log) {
    constexpr unsigned all = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP;
    sockaddr_in address{};
    const owned_fd listener = listening(address);
    const owned_fd client = tcp_socket();
    co_await note(log, "a new socket", poll_op{client, all});
    auto coming = later("a listener", poll_op{listener, POLLIN});
    co_await settle();
    co_await connect_to(client, address);
    co_await join(log, coming);
    co_await note(log, "all of a listener", poll_op{listener, all});
    owned_fd accepted = co_await accept_op{listener};
    co_await note(log, "connected", poll_op{client, all});
    auto readable = later("readable", poll_op{client, POLLIN});
    co_await settle();
    co_await send_op{accepted, bytes_of("x")};
    co_await join(log, readable);
    co_await note(log, "with data", poll_op{client, all});
    std::array<std::byte, 8> room{};
    co_await recv_op{client, room};
    auto ending = later("as the peer shuts", poll_op{client, POLLIN});
    co_await settle();
    co_await shutdown_op{accepted, SHUT_WR};
    co_await join(log, ending);
    co_await note(log, "at the end", poll_op{client, all});
    co_await note(log, "at the end, reading only", poll_op{client, POLLIN});
    co_await note(log, "at the end, writing only", poll_op{client, POLLOUT});
    co_await note(log, "at the end, nothing", poll_op{client, 0});
    auto hanging = later("as it hangs up", poll_op{accepted, POLLIN | POLLRDHUP});
    co_await settle();
    co_await shutdown_op{client, SHUT_WR};
    co_await join(log, hanging);
    co_await note(log, "over", poll_op{client, all});

    tcp_pair s;
    co_await make(s);
    auto broken = later("as it is reset", poll_op{s.b, POLLIN});
    co_await settle();
    reset_on_close(s.a);
    s.a.reset();
    co_await join(log, broken);
    co_await note(log, "reset", poll_op{s.b, all});
}

}  // namespace

std::vector<scenario> pipe_scenarios() {
    return {{"pipes", pipes},
            {"events", events},
            {"splices", splices},
            {"polls", polls},
            {"polls of sockets", socket_polls}};
}

}  // namespace ringlet_tests::differential
