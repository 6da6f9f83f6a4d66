// SPDX-License-Identifier: MIT
// The same scenarios on every engine that there is here: the same results and errors, in the same order.
#include "core/support.hpp"
#include "io/sockets.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/acceptor.hpp>
#include <ringlet/io/epoll_engine.hpp>
#include <ringlet/io/op/accept.hpp>
#include <ringlet/io/op/close.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/op/fallocate.hpp>
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/renameat.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/op/statx.hpp>
#include <ringlet/io/op/unlinkat.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/receiver.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace ringlet_tests;
using namespace ringlet::io;
using ringlet::as_result;
using ringlet::sleep;
using ringlet::spawn;
using ringlet::task;
using ringlet::with_timeout;

namespace {

std::string as_word(std::size_t n) { return std::to_string(n); }
std::string as_word(unsigned n) { return std::to_string(n); }
std::string as_word(const owned_fd& fd) { return fd ? "fd" : "no fd"; }
std::string as_word(const buffer_lease& lease) {
    return "'" + std::string{reinterpret_cast<const char*>(lease.bytes().data()), lease.size()} + "'";
}

/// Awaits the operation and writes "name: value; " or "name: the error; ".
template <class Operation>
task<> note(std::string& log, std::string name, Operation operation) {
    auto outcome = co_await as_result(std::move(operation));
    log += name + ": ";
    if (!outcome)
        log += outcome.error().message();
    else if constexpr (std::is_void_v<typename Operation::value_type>)
        log += "done";
    else
        log += as_word(*outcome);
    log += "; ";
}

struct pipe_pair {
    pipe_pair() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        out = owned_fd{ends[0]};
        in = owned_fd{ends[1]};
    }
    owned_fd out;
    owned_fd in;
};
struct folder {
    folder() {
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        fd = owned_fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    }
    ~folder() {
        for (const char* name : {"a", "b", "fifo"}) ::unlinkat(fd.get(), name, 0);
        ::rmdir(path.c_str());
    }
    std::string path = "/tmp/ringlet-test-XXXXXX";
    owned_fd fd;
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}
owned_fd tcp_socket() { return owned_fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}; }
owned_fd listening(sockaddr_in& address) {
    owned_fd socket = tcp_socket();
    address = loopback(0);
    socklen_t length = sizeof address;
    ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length);
    ::listen(socket.get(), 10);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
    return socket;
}
auto connect_to(const owned_fd& socket, const sockaddr_in& address) {
    return connect_op{socket, reinterpret_cast<const sockaddr&>(address), sizeof address};
}
void reset_on_close(const owned_fd& socket) {
    const linger now{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

task<> streams(std::string& log) {
    socket_pair s;
    std::array<std::byte, 4> room{};
    co_await note(log, "nop", nop_op{});
    auto reader = spawn([](std::string& l, fd_ref from,
                           std::span<std::byte> into) { return note(l, "late recv", recv_op{from, into}); },
                        std::ref(log), fd_ref{s.b}, std::span{room});
    co_await sleep(1ms);
    co_await note(log, "send", send_op{s.a, bytes_of("hello")});
    co_await reader.join();
    co_await note(log, "rest", recv_op{s.b, room});
    co_await note(log, "peek", send_op{s.a, bytes_of("xy")});
    co_await note(log, "peeked", recv_op{s.b, room, MSG_PEEK});
    co_await note(log, "and taken", recv_op{s.b, room});
    co_await note(log, "impatient", recv_op{s.b, room, MSG_DONTWAIT});
    co_await note(log, "half close", shutdown_op{s.a, SHUT_WR});
    co_await note(log, "end", recv_op{s.b, room});
    co_await note(log, "end again", recv_op{s.b, room});
    co_await note(log, "other way", send_op{s.b, bytes_of("z")});
    co_await note(log, "received", recv_op{s.a, room});
    s.a.reset();
    co_await note(log, "to nobody", send_op{s.b, bytes_of("z")});
    co_await note(log, "no socket", recv_op{fd_ref{-1}, room});
    const owned_fd event{::eventfd(0, EFD_CLOEXEC)};
    co_await note(log, "not a socket", recv_op{event, room});
    co_await note(log, "not a socket either", send_op{event, bytes_of("z")});
    co_await note(log, "not connected", shutdown_op{tcp_socket(), SHUT_WR});
}

task<> connections(std::string& log) {
    sockaddr_in address{};
    owned_fd listener = listening(address);
    owned_fd client = tcp_socket();
    auto accepting = spawn([](std::string& l, fd_ref from) { return note(l, "late accept", accept_op{from}); },
                           std::ref(log), fd_ref{listener});
    co_await sleep(1ms);
    co_await note(log, "connect", connect_to(client, address));
    co_await accepting.join();
    owned_fd second = tcp_socket();
    co_await note(log, "connect again", connect_to(second, address));
    const owned_fd accepted = co_await accept_op{listener};
    co_await note(log, "connected twice", connect_to(second, address));
    std::array<std::byte, 4> room{};
    reset_on_close(second);
    second.reset();
    co_await note(log, "reset", recv_op{accepted, room});
    co_await note(log, "after the reset", send_op{accepted, bytes_of("z")});
    const owned_fd unbound = tcp_socket();
    co_await note(log, "not listening", accept_op{unbound});
    const std::uint16_t port = ntohs(address.sin_port);
    listener.reset();
    co_await note(log, "refused", connect_to(tcp_socket(), loopback(port)));
    co_await note(log, "no accept", accept_op{fd_ref{-1}});
    sockaddr_un nowhere{};
    nowhere.sun_family = AF_UNIX;
    std::strcpy(nowhere.sun_path, "/nonexistent/socket");
    const owned_fd local{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    co_await note(log, "no such path", connect_op{local, reinterpret_cast<const sockaddr&>(nowhere), sizeof nowhere});
}

task<> datagrams(std::string& log) {
    socket_pair s{SOCK_DGRAM};
    std::array<std::byte, 3> room{};
    co_await note(log, "send", send_op{s.a, bytes_of("12345")});
    iovec part{room.data(), room.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    co_await note(log, "cut", recvmsg_op{s.b, message});
    log += (message.msg_flags & MSG_TRUNC) != 0 ? "truncated; " : "whole; ";
    co_await note(log, "empty", send_op{s.a, bytes_of("")});
    co_await note(log, "empty one", recv_op{s.b, room});
    std::string text = "abc";
    iovec out{text.data(), text.size()};
    msghdr sent{};
    sent.msg_iov = &out;
    sent.msg_iovlen = 1;
    co_await note(log, "sendmsg", sendmsg_op{s.a, sent});
    bool more = true;
    co_await note(log, "provided", recv_provided_op{s.b, more});
    const std::string big(300'000, 'x');
    co_await note(log, "too long", send_op{s.a, bytes_of(big)});
    // A receive buffer that is full: it waits for room.
    for (int i = 0; i < 1000; ++i) {
        const auto n = co_await as_result(with_timeout(1ms, send_op{s.a, bytes_of("fill")}));
        if (n) continue;
        log += "full: " + n.error().message() + "; ";
        break;
    }
}

task<> files(std::string& log) {
    const folder f;
    open_how how{};
    how.flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    how.mode = 0600;
    const owned_fd file = co_await openat2_op{f.fd, "a", how};
    std::array<std::byte, 8> room{};
    co_await note(log, "exists", openat2_op{f.fd, "a", how});
    co_await note(log, "write", write_op{file, bytes_of("0123456789")});
    co_await note(log, "write at", write_op{file, bytes_of("X"), 3});
    co_await note(log, "read at", read_op{file, room, 0});
    co_await note(log, "read short", read_op{file, room, 6});
    co_await note(log, "read at the end", read_op{file, room, 10});
    co_await note(log, "read far beyond", read_op{file, room, 1'000'000});
    co_await note(log, "read here", read_op{file, room});
    co_await note(log, "fallocate", fallocate_op{file, 0, 0, 100});
    co_await note(log, "fallocate nothing", fallocate_op{file, 0, 0, 0});
    co_await note(log, "fsync", fsync_op{file});
    struct statx status{};
    co_await note(log, "statx", statx_op{f.fd, "a", 0, STATX_SIZE, status});
    log += std::to_string(status.stx_size) + "; ";
    co_await note(log, "statx nothing", statx_op{f.fd, "b", 0, STATX_SIZE, status});
    co_await note(log, "rename", renameat_op{f.fd, "a", f.fd, "b", 0});
    co_await note(log, "rename again", renameat_op{f.fd, "a", f.fd, "b", 0});
    co_await note(log, "read a folder", read_op{f.fd, room, 0});
    how = {};
    how.flags = O_RDONLY | O_CLOEXEC;
    co_await note(log, "open", openat2_op{f.fd, "b", how});
    co_await note(log, "open nothing", openat2_op{f.fd, "a", how});
    co_await note(log, "open below a file", openat2_op{f.fd, "b/c", how});
    how.resolve = RESOLVE_BENEATH;
    co_await note(log, "open outside", openat2_op{f.fd, "../", how});
    how.resolve = 1U << 31;
    co_await note(log, "open somehow", openat2_op{f.fd, "b", how});
    const owned_fd read_only{::openat(f.fd.get(), "b", O_RDONLY | O_CLOEXEC)};
    co_await note(log, "write what is open for reading", write_op{read_only, bytes_of("x")});
    co_await note(log, "unlink", unlinkat_op{f.fd, "b"});
    co_await note(log, "unlink again", unlinkat_op{f.fd, "b"});
    co_await note(log, "unlink no folder", unlinkat_op{f.fd, "b", AT_REMOVEDIR});
    co_await note(log, "no file", read_op{fd_ref{-1}, room});
    co_await note(log, "no file to write", write_op{fd_ref{-1}, room});
    co_await note(log, "no file to sync", fsync_op{fd_ref{-1}});
    // Nobody is at the other end of a FIFO.
    CHECK(::mkfifoat(f.fd.get(), "fifo", 0600) == 0);
    how = {};
    how.flags = O_WRONLY | O_CLOEXEC;
    co_await note(log, "open a fifo for writing", openat2_op{f.fd, "fifo", how});
    how.flags = O_RDONLY | O_CLOEXEC;
    co_await note(log, "open a fifo for reading", openat2_op{f.fd, "fifo", how});
    const owned_fd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    co_await note(log, "read null", read_op{null, room});
    co_await note(log, "write null", write_op{null, bytes_of("xyz")});
    const owned_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    co_await note(log, "write to a full device", write_op{full, bytes_of("xyz")});
}

task<> pipes(std::string& log) {
    pipe_pair p;
    std::array<std::byte, 8> room{};
    auto reader = spawn([](std::string& l, fd_ref from,
                           std::span<std::byte> into) { return note(l, "late read", read_op{from, into}); },
                        std::ref(log), fd_ref{p.out}, std::span{room});
    co_await sleep(1ms);
    co_await note(log, "write", write_op{p.in, bytes_of("hello")});
    co_await reader.join();
    co_await note(log, "fsync a pipe", fsync_op{p.in});
    co_await note(log, "read the wrong end", read_op{p.in, room});
    p.in.reset();
    co_await note(log, "end", read_op{p.out, room});
    pipe_pair q;
    q.out.reset();
    co_await note(log, "broken", write_op{q.in, bytes_of("x")});
    pipe_pair full;
    const std::string much(65536, 'x');
    std::size_t written = 0;
    while (written < much.size()) written += co_await write_op{full.in, bytes_of(much)};
    const std::string fate_of_more = co_await fate(with_timeout(1ms, write_op{full.in, bytes_of("x")}));
    log += contains(fate_of_more, "time limit of 1 ms") ? "full; " : fate_of_more + "; ";
    // From a file through a pipe.
    const folder f;
    const owned_fd file{::openat(f.fd.get(), "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    co_await write_op{file, bytes_of("spliced")};
    pipe_pair r;
    co_await note(log, "splice", splice_op{file, 0, r.in, -1, 100});
    co_await note(log, "read it", read_op{r.out, room});
    pipe_pair source;
    pipe_pair sink;
    auto splicing = spawn(
        [](std::string& l, fd_ref from, fd_ref to) { return note(l, "late splice", splice_op{from, -1, to, -1, 10}); },
        std::ref(log), fd_ref{source.out}, fd_ref{sink.in});
    co_await sleep(1ms);
    co_await write_op{source.in, bytes_of("late")};
    co_await splicing.join();
    co_await note(log, "read what was spliced", read_op{sink.out, room});
    co_await note(log, "splice no pipe", splice_op{file, 0, file, 0, 100});
}

task<> polls(std::string& log) {
    socket_pair s;
    co_await note(log, "writable", poll_op{s.a, POLLOUT});
    auto normal = spawn([](std::string& l, fd_ref at) { return note(l, "normal", poll_op{at, POLLRDNORM}); },
                        std::ref(log), fd_ref{s.b});
    co_await sleep(1ms);
    co_await send_op{s.a, bytes_of("x")};
    co_await normal.join();
    std::array<std::byte, 1> taken{};
    co_await recv_op{s.b, taken};
    auto waiting = spawn([](std::string& l, fd_ref at) { return note(l, "readable", poll_op{at, POLLIN}); },
                         std::ref(log), fd_ref{s.b});
    co_await sleep(1ms);
    co_await send_op{s.a, bytes_of("x")};
    co_await waiting.join();
    co_await note(log, "both", poll_op{s.b, POLLIN | POLLOUT});
    s.a.reset();
    co_await note(log, "hung up", poll_op{s.b, POLLIN | POLLOUT});
    const owned_fd event{::eventfd(0, EFD_CLOEXEC)};
    auto ringing = spawn([](std::string& l, fd_ref at) { return note(l, "event", poll_op{at, POLLIN}); }, std::ref(log),
                         fd_ref{event});
    co_await sleep(1ms);
    ::eventfd_write(event.get(), 1);
    co_await ringing.join();
    co_await note(log, "no descriptor", poll_op{fd_ref{-1}, POLLIN});
    const folder f;
    const owned_fd file{::openat(f.fd.get(), "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    co_await note(log, "a file", poll_op{file, POLLIN});
}

template <class Operation>
task<> note_limit(std::string& log, std::string name, Operation operation) {
    const std::string text = co_await fate(with_timeout(1ms, std::move(operation)));
    log += name + ": " + (contains(text, "time limit of 1 ms") ? "limit" : text) + "; ";
}

task<> cancellations(std::string& log) {
    socket_pair s;
    std::array<std::byte, 8> room{};
    co_await note_limit(log, "recv", recv_op{s.b, room});
    bool more = false;
    co_await note_limit(log, "provided recv", recv_provided_op{s.b, more});
    sockaddr_in address{};
    const owned_fd listener = listening(address);
    co_await note_limit(log, "accept", accept_op{listener});
    co_await note_limit(log, "poll", poll_op{s.b, POLLIN});
    const pipe_pair p;
    co_await note_limit(log, "read", read_op{p.out, room});
    const pipe_pair q;
    co_await note_limit(log, "splice", splice_op{p.out, -1, q.in, -1, 10});
    // Nothing was lost by any of them.
    co_await send_op{s.a, bytes_of("kept")};
    co_await note(log, "after them", recv_op{s.b, room});
    // A send of everything that stops half-way says how far it came.
    const std::vector<std::byte> much(std::size_t{4} << 20);
    const auto sent = co_await as_result(with_timeout(5ms, send_op{s.a, much, MSG_WAITALL}));
    log += sent ? (*sent > 0 && *sent < much.size() ? "part; " : "odd; ") : sent.error().message() + "; ";
}

task<> standing(std::string& log) {
    socket_pair s;
    receiver in{std::move(s.b)};
    co_await send_op{s.a, bytes_of("one")};
    co_await note(log, "first", in.next());
    const std::string none = co_await fate(with_timeout(1ms, in.next()));
    log += contains(none, "time limit of 1 ms") ? "none; " : none + "; ";
    for (int i = 0; i < 40; ++i) {
        co_await send_op{s.a, bytes_of("many")};
        co_await sleep(20us);
    }
    std::size_t got = 0;
    while (got < 160) {
        const buffer_lease lease = co_await in.next();
        got += lease.size();
    }
    log += std::to_string(got) + "; ";
    co_await send_op{s.a, bytes_of("last")};
    s.a.reset();
    co_await note(log, "last", in.next());
    co_await note(log, "end", in.next());
    co_await note(log, "end again", in.next());

    sockaddr_in address{};
    // A receive stops at urgent data, and what comes after it has come already.
    const owned_fd quay = listening(address);
    const owned_fd sender = tcp_socket();
    co_await connect_to(sender, address);
    owned_fd landed = co_await accept_op{quay};
    receiver urgent{std::move(landed)};
    const std::string nothing = co_await fate(with_timeout(1ms, urgent.next()));
    ::send(sender.get(), "abc", 3, 0);
    ::send(sender.get(), "X", 1, MSG_OOB);
    ::send(sender.get(), "def", 3, 0);
    for (int i = 0; i < 2; ++i) {
        const auto part = co_await as_result(with_timeout(2s, urgent.next()));
        log += part ? as_word(*part) + "; " : part.error().message() + "; ";
    }

    acceptor doors{listening(address)};
    for (int i = 0; i < 3; ++i) {
        const owned_fd client = tcp_socket();
        co_await note(log, "connect", connect_to(client, address));
        co_await note(log, "accept", doors.accept());
    }
}

std::unique_ptr<engine> uring_or_none(std::string& why) {
    try {
        return make_uring_engine();
    } catch (const engine_unavailable& denied) {
        why = denied.what();
        return nullptr;
    }
}

std::string run_on(std::unique_ptr<engine> backend, task<> (*scenario)(std::string&)) {
    std::string log;
    ringlet::loop loop{std::move(backend), ringlet::loop_options()};
    loop.run(scenario(log));
    return log;
}

}  // namespace

TEST_CASE("an engine that ends waits for the calls that its threads have begun", "[epoll]") {
    const leak_check leaks;
    const folder f;
    const owned_fd file{::openat(f.fd.get(), "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    const std::vector<std::byte> much(std::size_t{1} << 20);
    epoll_engine engine{ring_sizes()};
    for (std::uint64_t i = 0; i < 20; ++i) {
        io_uring_sqe& sqe = engine.sqe_at(engine.sq_tail++);
        io_uring_prep_write(&sqe, file.get(), much.data(), static_cast<unsigned>(much.size()), i * much.size());
        sqe.user_data = i;
    }
    engine.enter(0, no_deadline);
}

TEST_CASE("the engines give the same results and errors", "[differential]") {
    const std::array scenarios{streams, connections, datagrams, files, pipes, polls, cancellations, standing};
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    for (const auto scenario : scenarios) {
        const leak_check leaks;
        std::string why;
        auto uring = uring_or_none(why);
        if (!uring) SKIP(why);
        const std::string expected = run_on(std::move(uring), scenario);
        const std::string epoll = run_on(std::make_unique<epoll_engine>(ring_sizes()), scenario);
        CHECK(epoll == expected);
    }
    ::signal(SIGPIPE, before);
}
