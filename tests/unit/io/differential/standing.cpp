// SPDX-License-Identifier: MIT
#include "scenarios.hpp"
#include <ringlet/io/acceptor.hpp>
#include <ringlet/io/message_receiver.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/receiver.hpp>

#include <sys/eventfd.h>

namespace ringlet_tests::differential {
namespace {

// Cancelled while it waits: it ends with ECANCELED, and nothing is lost.
task<> cancellations(std::string& log) {
    local_pair s;
    std::array<std::byte, 8> room{};
    co_await note_limit(log, "recv", recv_op{s.b, room});
    bool more = false;
    co_await note_limit(log, "provided recv", recv_provided_op{s.b, more});
    iovec part{room.data(), room.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    co_await note_limit(log, "recvmsg", recvmsg_op{s.b, message});
    co_await note_limit(log, "read a socket", read_op{s.b, room});
    sockaddr_in address{};
    const owned_fd listener = listening(address);
    co_await note_limit(log, "accept", accept_op{listener});
    co_await note_limit(log, "poll", poll_op{s.b, POLLIN});
    const pipe_pair p;
    co_await note_limit(log, "read", read_op{p.out, room});
    const pipe_pair q;
    co_await note_limit(log, "splice", splice_op{p.out, -1, q.in, -1, 10});
    const owned_fd event{sys::eventfd(0, EFD_CLOEXEC)};
    co_await note_limit(log, "read an event", read_op{event, room});
    const owned_fd datagrams = udp_socket();
    bind_to_loopback(datagrams);
    co_await note_limit(log, "recv a datagram", recv_op{datagrams, room});
    // Nothing was lost by any of them.
    co_await send_op{s.a, bytes_of("kept")};
    co_await note(log, "after them", recv_op{s.b, room});
    // What came says how far it came.
    auto half = later("half of all", with_timeout(5ms, recv_op{s.b, room, MSG_WAITALL}));
    co_await send_op{s.a, bytes_of("half")};
    co_await join(log, half);
    const std::vector<std::byte> much(std::size_t{8} << 20);
    const auto sent = co_await as_result(with_timeout(5ms, send_op{s.a, much, MSG_WAITALL}));
    log += sent ? (*sent > 0 && *sent < much.size() ? "part\n" : "odd\n") : sent.error().message() + '\n';
    co_await note_limit(log, "send", send_op{s.a, much});
    co_await note_limit(log, "write", write_op{s.a, much});
}

task<> receivers(std::string& log) {
    local_pair s;
    receiver in{std::move(s.b)};
    co_await send_op{s.a, bytes_of("one")};
    co_await note(log, "first", in.next());
    co_await note_limit(log, "none", in.next());
    for (int i = 0; i < 40; ++i) {
        co_await send_op{s.a, bytes_of("many")};
        co_await sleep(20us);
    }
    std::size_t got = 0;
    while (got < 160) {
        const buffer_lease lease = co_await in.next();
        got += lease.size();
    }
    log += std::to_string(got) + '\n';
    co_await send_op{s.a, bytes_of("last")};
    s.a.reset();
    co_await note(log, "last", in.next());
    co_await note(log, "end", in.next());
    co_await note(log, "end again", in.next());
}

task<> resets_of_receivers(std::string& log) {
    {
        tcp_pair s;
        co_await make(s);
        receiver in{std::move(s.b)};
        co_await note_limit(log, "armed", in.next());
        reset_on_close(s.a);
        s.a.reset();
        co_await settle();
        co_await note(log, "reset", in.next());
        co_await note(log, "after it", in.next());
        co_await note(log, "send", send_op{in.socket(), bytes_of("x")});
    }
    {
        tcp_pair s;
        co_await make(s);
        receiver in{std::move(s.b)};
        auto waiting = later("reset while it waits", in.next());
        co_await settle();
        reset_on_close(s.a);
        s.a.reset();
        co_await join(log, waiting);
        co_await note(log, "after it", in.next());
    }
    {
        tcp_pair s;
        co_await make(s);
        receiver in{std::move(s.b)};
        co_await note_limit(log, "armed", in.next());
        co_await send_op{s.a, bytes_of("last words")};
        co_await settle();
        co_await shutdown_op{s.a, SHUT_WR};
        co_await settle();
        co_await note(log, "last words", in.next());
        co_await note(log, "half closed", in.next());
        co_await note(log, "other way", send_op{in.socket(), bytes_of("x")});
        std::array<std::byte, 8> room{};
        co_await note(log, "heard", recv_op{s.a, room});
        co_await note(log, "shut at its own end", shutdown_op{in.socket(), SHUT_RDWR});
        co_await note(log, "then", in.next());
    }
}

task<> message_receivers(std::string& log) {
    const owned_fd peer = udp_socket();
    owned_fd own = udp_socket();
    const sockaddr_in to = bind_to_loopback(own);
    REQUIRE(sys::connect(peer.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    message_receiver in{std::move(own)};
    co_await send_op{peer, bytes_of("one")};
    co_await note(log, "first", in.next());
    co_await note_limit(log, "none", in.next());
    const int on = 1;
    REQUIRE(sys::setsockopt(in.socket().get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0);
    auto waiting = later("while it waits", in.next());
    co_await settle();
    co_await send_op{peer, bytes_of("with where it went")};
    co_await join(log, waiting);
    for (const std::string_view text : {"", "after an empty one", "", ""}) co_await send_op{peer, bytes_of(text)};
    for (int i = 0; i < 4; ++i) co_await note(log, "empty or not", in.next());
    const std::string longest(65'507, 'x');
    co_await send_op{peer, bytes_of(longest)};
    co_await note(log, "the longest", in.next());
    std::size_t got = 0;
    for (int i = 0; i < 100; ++i) {
        co_await send_op{peer, bytes_of("many")};
        if (i % 10 == 9) co_await settle();
    }
    for (int i = 0; i < 100; ++i) {
        const message_lease lease = co_await in.next();
        got += lease.size();
    }
    log += std::to_string(got) + '\n';
    log += in.try_next() ? "more than was sent\n" : "no more\n";
}

task<> errors_of_message_receivers(std::string& log) {
    owned_fd peer = udp_socket();
    owned_fd own = udp_socket();
    const sockaddr_in to_peer = bind_to_loopback(peer);
    const sockaddr_in to = bind_to_loopback(own);
    REQUIRE(sys::connect(own.get(), reinterpret_cast<const sockaddr*>(&to_peer), sizeof to_peer) == 0);
    message_receiver in{std::move(own)};
    co_await note_limit(log, "armed", in.next());
    peer.reset();
    for (int i = 0; i < 2; ++i) {
        auto waiting = later("refused", in.next());
        co_await settle();
        co_await note(log, "send to a closed port", send_op{in.socket(), bytes_of("x")});
        co_await join(log, waiting);
    }
    co_await note_limit(log, "told once", in.next());
    const owned_fd again = udp_socket();
    REQUIRE(sys::bind(again.get(), reinterpret_cast<const sockaddr*>(&to_peer), sizeof to_peer) == 0);
    REQUIRE(sys::connect(again.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    co_await send_op{again, bytes_of("well")};
    co_await note(log, "and goes on", in.next());
    message_receiver none{owned_fd{sys::eventfd(0, EFD_CLOEXEC)}};
    co_await note(log, "no socket", none.next());
}

task<> acceptors(std::string& log) {
    sockaddr_in address{};
    acceptor doors{listening(address)};
    for (int i = 0; i < 3; ++i) {
        const owned_fd client = tcp_socket();
        co_await note(log, "connect", connect_to(client, address));
        co_await note(log, "accept", doors.accept());
    }
    co_await note_limit(log, "nobody", doors.accept());
    auto waiting = later("shut while it waits", doors.accept());
    co_await settle();
    co_await note(log, "shut", shutdown_op{doors.socket(), SHUT_RD});
    co_await join(log, waiting);
    co_await note(log, "after it", doors.accept());
    const owned_fd socket = tcp_socket();
    acceptor none{tcp_socket()};
    co_await note(log, "not listening", none.accept());
}

// A receive stops at urgent data, and what comes after it has come already.
task<> urgent_data(std::string& log) {
    tcp_pair s;
    co_await make(s);
    receiver urgent{std::move(s.b)};
    co_await note_limit(log, "armed", urgent.next());
    ::send(s.a.get(), "abc", 3, 0);
    ::send(s.a.get(), "X", 1, MSG_OOB);
    ::send(s.a.get(), "def", 3, 0);
    for (int i = 0; i < 2; ++i) {
        const auto part = co_await as_result(with_timeout(2s, urgent.next()));
        log += (part ? as_word(*part) : part.error().message()) + '\n';
    }
}

}  // namespace

std::vector<scenario> standing_scenarios() {
    return {{"cancellations", cancellations},
            {"receivers", receivers},
            {"resets of receivers", resets_of_receivers},
            {"message receivers", message_receivers},
            {"errors of message receivers", errors_of_message_receivers},
            {"acceptors", acceptors},
            {"urgent data", urgent_data, "its TCP has no urgent data: no program uses it"}};
}

}  // namespace ringlet_tests::differential
