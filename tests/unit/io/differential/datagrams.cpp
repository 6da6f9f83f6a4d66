// SPDX-License-Identifier: MIT
#include "io/sockets.hpp"
#include "scenarios.hpp"
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/write.hpp>

namespace ringlet_tests::differential {
namespace {

/// A message of one part, which it does not own.
struct one_part {
    explicit one_part(std::span<std::byte> bytes) : part{bytes.data(), bytes.size()} {
        message.msg_iov = &part;
        message.msg_iovlen = 1;
    }
    one_part(const one_part&) = delete;
    one_part& operator=(const one_part&) = delete;
    void name(sockaddr_in& address) {
        message.msg_name = &address;
        message.msg_namelen = sizeof address;
    }
    iovec part;
    msghdr message{};
};

std::string flags_of(const msghdr& message) { return "flags: " + std::to_string(message.msg_flags) + '\n'; }

/// Two sockets of UDP, each connected to the other.
struct udp_pair {
    udp_pair() {
        to_a = bind_to_loopback(a);
        to_b = bind_to_loopback(b);
        REQUIRE(sys::connect(a.get(), reinterpret_cast<sockaddr*>(&to_b), sizeof to_b) == 0);
        REQUIRE(sys::connect(b.get(), reinterpret_cast<sockaddr*>(&to_a), sizeof to_a) == 0);
    }
    owned_fd a = udp_socket();
    owned_fd b = udp_socket();
    sockaddr_in to_a{};
    sockaddr_in to_b{};
};

task<> connected(std::string& log) {
    udp_pair s;
    std::array<std::byte, 3> room{};
    co_await note(log, "send", send_op{s.a, bytes_of("12345")});
    co_await settle();
    one_part in{room};
    co_await note(log, "peeked", recv_op{s.b, room, MSG_PEEK});
    co_await note(log, "peeked at all of it", recv_op{s.b, room, MSG_PEEK | MSG_TRUNC});
    co_await note(log, "cut", recvmsg_op{s.b, in.message});
    log += flags_of(in.message);
    co_await note(log, "send", send_op{s.a, bytes_of("12345")});
    co_await settle();
    co_await note(log, "cut, with its true length", recvmsg_op{s.b, in.message, MSG_TRUNC});
    log += flags_of(in.message);
    co_await note(log, "impatient", recv_op{s.b, room, MSG_DONTWAIT});
    co_await note(log, "empty", send_op{s.a, bytes_of("")});
    co_await note(log, "empty one", recv_op{s.b, room});
    co_await note(log, "short", send_op{s.a, bytes_of("x")});
    co_await note(log, "all of a short one", recv_op{s.b, room, MSG_WAITALL});
    std::string text = "abc";
    one_part out{std::as_writable_bytes(std::span{text})};
    co_await note(log, "sendmsg", sendmsg_op{s.a, out.message});
    bool more = true;
    co_await note(log, "provided", recv_provided_op{s.b, more});
    co_await note(log, "write", write_op{s.a, bytes_of("w")});
    co_await note(log, "read", read_op{s.b, room});
    co_await note(log, "write nothing", write_op{s.a, bytes_of("")});
    co_await note_limit(log, "and read it", read_op{s.b, room});
    const std::string big(70'000, 'x');
    co_await note(log, "too long", send_op{s.a, bytes_of(big)});
    const std::string bigger(65'508, 'x');
    co_await note(log, "a little too long", send_op{s.a, bytes_of(bigger)});
    const std::string biggest(65'507, 'x');
    std::vector<std::byte> much(65'507);
    co_await note(log, "the longest", send_op{s.a, bytes_of(biggest)});
    co_await note(log, "and received", recv_op{s.b, much});
    auto reader = later("late recv", recv_op{s.b, room});
    co_await settle();
    co_await note(log, "send", send_op{s.a, bytes_of("zz")});
    co_await join(log, reader);
    co_await note(log, "send nothing to take", send_op{s.a, bytes_of("zz")});
    co_await settle();
    co_await note(log, "take nothing of it", recv_op{s.b, nothing});
    co_await note(log, "it has gone", recv_op{s.b, room, MSG_DONTWAIT});
    co_await note(log, "accept", accept_op{s.b});
}

task<> addressed(std::string& log) {
    const owned_fd a = udp_socket();
    const owned_fd b = udp_socket();
    sockaddr_in at_a = bind_to_loopback(a);
    sockaddr_in at_b = bind_to_loopback(b);
    std::array<std::byte, 8> room{};
    co_await note(log, "send to nobody", send_op{a, bytes_of("x")});
    one_part out{room};
    out.name(at_b);
    co_await note(log, "sendmsg", sendmsg_op{a, out.message});
    sockaddr_in from{};
    one_part in{room};
    in.name(from);
    co_await note(log, "recvmsg", recvmsg_op{b, in.message});
    log +=
        from.sin_port == at_a.sin_port && in.message.msg_namelen == sizeof from ? "from the other\n" : "from where?\n";
    sockaddr_in nowhere = at_b;
    nowhere.sin_port = 0;
    out.name(nowhere);
    co_await note(log, "to port 0", sendmsg_op{a, out.message});
    nowhere.sin_family = AF_PACKET;
    co_await note(log, "to another family", sendmsg_op{a, out.message});
    out.message.msg_namelen = 3;
    co_await note(log, "to a third of an address", sendmsg_op{a, out.message});
    // Who is connected hears its peer only.
    const owned_fd c = udp_socket();
    bind_to_loopback(c);
    co_await note(log, "connect", connect_to(c, at_b));
    sockaddr_in at_c{};
    socklen_t length = sizeof at_c;
    REQUIRE(sys::getsockname(c.get(), reinterpret_cast<sockaddr*>(&at_c), &length) == 0);
    out.name(at_c);
    co_await note(log, "from a stranger", sendmsg_op{a, out.message});
    co_await note_limit(log, "is not heard", recv_op{c, room});
    co_await note(log, "from the peer", sendmsg_op{b, out.message});
    co_await note(log, "is heard", recv_op{c, room});
    sockaddr_in none{};
    none.sin_family = AF_UNSPEC;
    co_await note(log, "disconnect", connect_to(c, none));
    co_await note(log, "send when disconnected", send_op{c, bytes_of("x")});
}

task<> refused(std::string& log) {
    udp_pair s;
    std::array<std::byte, 8> room{};
    s.b.reset();
    co_await note(log, "send to a closed port", send_op{s.a, bytes_of("x")});
    co_await settle();
    co_await note(log, "poll", poll_op{s.a, POLLIN | POLLOUT});
    co_await note(log, "told by recv", recv_op{s.a, room});
    co_await note(log, "send again", send_op{s.a, bytes_of("x")});
    co_await settle();
    co_await note(log, "told by send", send_op{s.a, bytes_of("x")});
    co_await note(log, "sent nevertheless", send_op{s.a, bytes_of("x")});
    auto reader = later("told while it waits", recv_op{s.a, room});
    co_await join(log, reader);
}

task<> shut(std::string& log) {
    const owned_fd lone = udp_socket();
    bind_to_loopback(lone);
    std::array<std::byte, 8> room{};
    co_await note(log, "shut one without a peer", shutdown_op{lone, SHUT_RD});
    udp_pair s;
    auto reader = later("recv as it is shut", recv_op{s.b, room});
    co_await settle();
    co_await note(log, "shut reading", shutdown_op{s.b, SHUT_RD});
    co_await join(log, reader);
    co_await note(log, "poll", poll_op{s.b, POLLIN | POLLOUT});
    co_await note(log, "shut writing", shutdown_op{s.b, SHUT_WR});
    co_await note(log, "send", send_op{s.b, bytes_of("x")});
    co_await note(log, "poll again", poll_op{s.b, POLLIN | POLLOUT});
    co_await note(log, "shut in a strange way", shutdown_op{s.b, 17});
}

// A receive buffer that is full: what comes is dropped, or the sender waits for room.
task<> local(std::string& log) {
    socket_pair s{SOCK_DGRAM};
    std::array<std::byte, 3> room{};
    co_await note(log, "send", send_op{s.a, bytes_of("12345")});
    one_part in{room};
    co_await note(log, "cut", recvmsg_op{s.b, in.message});
    log += flags_of(in.message);
    co_await note(log, "empty", send_op{s.a, bytes_of("")});
    co_await note(log, "empty one", recv_op{s.b, room});
    bool more = true;
    co_await note(log, "for a provided one", send_op{s.a, bytes_of("abc")});
    co_await note(log, "provided", recv_provided_op{s.b, more});
    const std::string big(300'000, 'x');
    co_await note(log, "too long", send_op{s.a, bytes_of(big)});
    for (int i = 0; i < 1000; ++i) {
        const auto n = co_await as_result(with_timeout(1ms, send_op{s.a, bytes_of("fill")}));
        if (n) continue;
        log += "full: " + n.error().message() + '\n';
        break;
    }
}

}  // namespace

std::vector<scenario> datagram_scenarios() {
    return {{"connected datagrams", connected},
            {"addressed datagrams", addressed},
            {"refused datagrams", refused},
            {"shut datagram sockets", shut},
            {"local datagrams", local, "its network has no local datagrams: no program uses them"}};
}

}  // namespace ringlet_tests::differential
