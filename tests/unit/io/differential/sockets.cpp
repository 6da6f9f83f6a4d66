// SPDX-License-Identifier: MIT
#include "scenarios.hpp"
#include <ringlet/io/op/close.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/write.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <sys/eventfd.h>
#include <sys/un.h>

namespace ringlet_tests::differential {
namespace {

task<> local_streams(std::string& log) {
    local_pair s;
    std::array<std::byte, 4> room{};
    co_await note(log, "nop", nop_op{});
    auto reader = later("late recv", recv_op{s.b, room});
    co_await settle();
    co_await note(log, "send", send_op{s.a, bytes_of("hello")});
    co_await join(log, reader);
    co_await note(log, "rest", recv_op{s.b, room});
    co_await note(log, "peek", send_op{s.a, bytes_of("xy")});
    co_await note(log, "peeked", recv_op{s.b, room, MSG_PEEK});
    co_await note(log, "and taken", recv_op{s.b, room});
    co_await note(log, "impatient", recv_op{s.b, room, MSG_DONTWAIT});
    co_await note_limit(log, "recv nothing, while there is nothing", recv_op{s.b, nothing});
    co_await note(log, "read nothing", read_op{s.b, nothing});
    co_await note(log, "half close", shutdown_op{s.a, SHUT_WR});
    co_await note(log, "end", recv_op{s.b, room});
    co_await note(log, "end again", recv_op{s.b, room});
    co_await note(log, "other way", send_op{s.b, bytes_of("z")});
    co_await note(log, "received", recv_op{s.a, room});
    s.a.reset();
    co_await note(log, "to nobody", send_op{s.b, bytes_of("z")});
    co_await note(log, "from nobody", recv_op{s.b, room});
    local_pair cut;
    co_await note(log, "unread", send_op{cut.a, bytes_of("z")});
    cut.b.reset();
    co_await note(log, "closed with unread bytes", recv_op{cut.a, room});
    co_await note(log, "and then", recv_op{cut.a, room});
    co_await note(log, "and sent", send_op{cut.a, bytes_of("z")});
}

task<> tcp_streams(std::string& log) {
    tcp_pair s;
    co_await make(s);
    std::array<std::byte, 4> room{};
    auto reader = later("late recv", recv_op{s.b, room});
    co_await settle();
    co_await note(log, "send", send_op{s.a, bytes_of("hello")});
    co_await join(log, reader);
    co_await note(log, "rest", recv_op{s.b, room});
    co_await note(log, "more", send_op{s.a, bytes_of("xy")});
    co_await note(log, "peeked", recv_op{s.b, room, MSG_PEEK});
    co_await note(log, "and taken", recv_op{s.b, room});
    co_await note(log, "impatient", recv_op{s.b, room, MSG_DONTWAIT});
    co_await note(log, "written", write_op{s.a, bytes_of("abc")});
    co_await settle();
    co_await note(log, "read", read_op{s.b, room});
    co_await note(log, "read at an offset", read_op{s.b, room, 5});
    co_await note(log, "write at an offset", write_op{s.b, bytes_of("x"), 5});
    co_await note(log, "send nothing", send_op{s.a, bytes_of("")});
    co_await note(log, "write nothing", write_op{s.a, bytes_of("")});
    co_await note(log, "read nothing", read_op{s.b, nothing});
    co_await note_limit(log, "recv nothing, while there is nothing", recv_op{s.b, nothing});
    co_await note(log, "for it", send_op{s.a, bytes_of("q")});
    co_await settle();
    co_await note(log, "recv nothing", recv_op{s.b, nothing});
    co_await note(log, "still there", recv_op{s.b, room});
    bool more = true;
    co_await note(log, "for a provided one", send_op{s.a, bytes_of("provided")});
    co_await settle();
    co_await note(log, "provided", recv_provided_op{s.b, more});
    log += more ? "more\n" : "no more\n";
}

task<> whole_messages(std::string& log) {
    tcp_pair s;
    co_await make(s);
    std::array<std::byte, 6> room{};
    auto all = later("all in three parts", recv_op{s.b, room, MSG_WAITALL});
    for (const char* part : {"ab", "cd", "ef"}) {
        co_await settle();
        co_await send_op{s.a, bytes_of(part)};
    }
    co_await join(log, all);
    std::array<iovec, 2> parts{iovec{room.data(), 2}, iovec{room.data() + 2, 4}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    auto message_all = later("a message in three parts", recvmsg_op{s.b, message, MSG_WAITALL});
    for (const char* part : {"uvw", "x", "yz"}) {
        co_await settle();
        co_await send_op{s.a, bytes_of(part)};
    }
    co_await join(log, message_all);
    log.append(reinterpret_cast<const char*>(room.data()), room.size()) += '\n';
    auto cut = later("cut by the end", recv_op{s.b, room, MSG_WAITALL});
    co_await send_op{s.a, bytes_of("abc")};
    co_await settle();
    co_await shutdown_op{s.a, SHUT_WR};
    co_await join(log, cut);
    // More than all buffers hold, to a peer that begins to read later.
    std::vector<std::byte> much(std::size_t{6} << 20);
    std::vector<std::byte> heard(much.size());
    auto sent = later("sent all", send_op{s.b, much, MSG_WAITALL});
    co_await settle();
    co_await note(log, "received all", recv_op{s.a, heard, MSG_WAITALL});
    co_await join(log, sent);
    std::array<iovec, 2> halves{iovec{much.data(), much.size() / 2},
                                iovec{much.data() + much.size() / 2, much.size() / 2}};
    msghdr big{};
    big.msg_iov = halves.data();
    big.msg_iovlen = halves.size();
    auto sent_message = later("sent a message", sendmsg_op{s.b, big, MSG_WAITALL});
    co_await settle();
    co_await note(log, "received the message", recv_op{s.a, heard, MSG_WAITALL});
    co_await join(log, sent_message);
}

task<> connections(std::string& log) {
    sockaddr_in address{};
    owned_fd listener = listening(address);
    owned_fd client = tcp_socket();
    auto accepting = later("late accept", accept_op{listener});
    co_await settle();
    co_await note(log, "connect", connect_to(client, address));
    co_await join(log, accepting);
    owned_fd second = tcp_socket();
    co_await note(log, "connect again", connect_to(second, address));
    const owned_fd accepted = co_await accept_op{listener};
    co_await note(log, "connected twice", connect_to(second, address));
    std::array<std::byte, 4> room{};
    reset_on_close(second);
    second.reset();
    co_await note(log, "reset", recv_op{accepted, room});
    co_await note(log, "after the reset", send_op{accepted, bytes_of("z")});
    co_await note(log, "and received", recv_op{accepted, room});
    const owned_fd unbound = tcp_socket();
    co_await note(log, "not listening", accept_op{unbound});
    co_await note(log, "connect from a listener", connect_to(listener, address));
    const std::uint16_t port = ntohs(address.sin_port);
    listener.reset();
    const owned_fd refused = tcp_socket();
    co_await note(log, "refused", connect_to(refused, loopback(port)));
    co_await note(log, "refused again", connect_to(refused, loopback(port)));
    co_await note(log, "refused and sent", send_op{refused, bytes_of("z")});
    co_await note(log, "refused and received", recv_op{refused, room});
    co_await note(log, "no accept", accept_op{fd_ref{-1}});
    co_await note(log, "no connect",
                  connect_op{fd_ref{-1}, reinterpret_cast<const sockaddr&>(address), sizeof address});
    const owned_fd fresh = tcp_socket();
    sockaddr_in strange = address;
    strange.sin_family = AF_PACKET;
    co_await note(log, "another family", connect_to(fresh, strange));
    co_await note(log, "half an address",
                  connect_op{fresh, reinterpret_cast<const sockaddr&>(address), sizeof address / 2});
}

task<> unconnected(std::string& log) {
    const owned_fd socket = tcp_socket();
    std::array<std::byte, 4> room{};
    bool more = true;
    iovec part{room.data(), room.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    co_await note(log, "recv", recv_op{socket, room});
    co_await note(log, "recv nothing", recv_op{socket, nothing});
    co_await note(log, "provided recv", recv_provided_op{socket, more});
    co_await note(log, "recvmsg", recvmsg_op{socket, message});
    co_await note(log, "send", send_op{socket, bytes_of("z")});
    co_await note(log, "send nothing", send_op{socket, bytes_of("")});
    co_await note(log, "sendmsg", sendmsg_op{socket, message});
    co_await note(log, "read", read_op{socket, room});
    co_await note(log, "read nothing", read_op{socket, nothing});
    co_await note(log, "write", write_op{socket, bytes_of("z")});
    co_await note(log, "shutdown", shutdown_op{socket, SHUT_WR});
    co_await note(log, "poll", poll_op{socket, POLLIN | POLLOUT});
    sockaddr_in address{};
    const owned_fd listener = listening(address);
    co_await note(log, "recv from a listener", recv_op{listener, room});
    co_await note(log, "send to a listener", send_op{listener, bytes_of("z")});
    co_await note(log, "read nothing from a listener", read_op{listener, nothing});
}

task<> half_closes(std::string& log) {
    tcp_pair s;
    co_await make(s);
    std::array<std::byte, 8> room{};
    co_await note(log, "shut in a strange way", shutdown_op{s.a, 17});
    auto reader = later("recv as it is shut", recv_op{s.b, room});
    co_await settle();
    co_await note(log, "shut", shutdown_op{s.a, SHUT_WR});
    co_await join(log, reader);
    co_await note(log, "shut again", shutdown_op{s.a, SHUT_WR});
    co_await note(log, "send on a shut one", send_op{s.a, bytes_of("z")});
    co_await note(log, "other way", send_op{s.b, bytes_of("back")});
    co_await settle();
    co_await note(log, "received", recv_op{s.a, room});
    co_await note(log, "shut the other", shutdown_op{s.b, SHUT_WR});
    co_await settle();
    co_await note(log, "the end here, too", recv_op{s.a, room});
    co_await note(log, "shut when it is over", shutdown_op{s.a, SHUT_WR});
    co_await note(log, "poll when it is over", poll_op{s.a, POLLIN | POLLOUT});

    // Closed to reading at this end: what comes is taken all the same.
    tcp_pair r;
    co_await make(r);
    auto waiting = later("recv as its own end is shut", recv_op{r.b, room});
    co_await settle();
    co_await note(log, "shut reading", shutdown_op{r.b, SHUT_RD});
    co_await join(log, waiting);
    co_await note(log, "recv after it", recv_op{r.b, room});
    co_await note(log, "poll after it", poll_op{r.b, POLLIN | POLLOUT});
    co_await note(log, "send to it", send_op{r.a, bytes_of("late")});
    co_await settle();
    co_await note(log, "what came to it", recv_op{r.b, room});
    co_await note(log, "and then", recv_op{r.b, room});
    co_await note(log, "shut both", shutdown_op{r.b, SHUT_RDWR});
    co_await settle();
    co_await note(log, "recv at the other end", recv_op{r.a, room});
}

task<> resets(std::string& log) {
    std::array<std::byte, 8> room{};
    {  // in the middle of a receive, and of a send that waits
        tcp_pair s;
        co_await make(s);
        auto reader = later("recv as it is reset", recv_op{s.b, room});
        co_await settle();
        reset_on_close(s.a);
        s.a.reset();
        co_await join(log, reader);
        co_await note(log, "recv after it", recv_op{s.b, room});
        co_await note(log, "send after it", send_op{s.b, bytes_of("z")});
        co_await note(log, "poll after it", poll_op{s.b, POLLIN | POLLOUT});
        co_await note(log, "shut after it", shutdown_op{s.b, SHUT_WR});
    }
    {  // with unread bytes at the end that closes
        tcp_pair s;
        co_await make(s);
        co_await send_op{s.a, bytes_of("unread")};
        co_await settle();
        s.b.reset();
        co_await settle();
        co_await note(log, "poll after a reset that nobody saw", poll_op{s.a, POLLIN | POLLOUT});
        co_await note(log, "recv", recv_op{s.a, room});
        co_await note(log, "recv again", recv_op{s.a, room});
    }
    {  // bytes that came before it are still read
        tcp_pair s;
        co_await make(s);
        co_await send_op{s.a, bytes_of("before")};
        co_await settle();
        reset_on_close(s.a);
        s.a.reset();
        co_await settle();
        co_await note(log, "what came before", recv_op{s.b, room});
        co_await note(log, "then", recv_op{s.b, room});
        co_await note(log, "and then", recv_op{s.b, room});
    }
    {  // sent to a socket that has gone
        tcp_pair s;
        co_await make(s);
        s.b.reset();
        co_await settle();
        co_await note(log, "the end", recv_op{s.a, room});
        co_await note(log, "send to one that has gone", send_op{s.a, bytes_of("z")});
        co_await settle();
        co_await note(log, "the reset", send_op{s.a, bytes_of("z")});
        co_await note(log, "recv after it", recv_op{s.a, room});
    }
    {  // a send that waits for room
        tcp_pair s;
        co_await make(s);
        const std::vector<std::byte> much(std::size_t{8} << 20);
        auto sending = later("a send that waits", send_all_op{s.a, much});
        co_await settle();
        reset_on_close(s.b);
        s.b.reset();
        co_await join(log, sending);
    }
}

task<> listeners(std::string& log) {
    sockaddr_in address{};
    owned_fd listener = listening(address);
    auto accepting = later("accept as it is shut", accept_op{listener});
    co_await settle();
    co_await note(log, "shut writing", shutdown_op{listener, SHUT_WR});
    co_await note(log, "shut reading", shutdown_op{listener, SHUT_RD});
    co_await join(log, accepting);
    co_await note(log, "accept after it", accept_op{listener});
    co_await note(log, "poll after it", poll_op{listener, POLLIN | POLLOUT});
    const owned_fd client = tcp_socket();
    co_await note(log, "connect to it", connect_to(client, address));
    CHECK(sys::listen(listener.get(), 1) == 0);
    const owned_fd another = tcp_socket();
    co_await note(log, "it has lost its port", connect_to(another, address));
    socklen_t length = sizeof address;
    REQUIRE(sys::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    co_await note(log, "connect when it listens again", connect_to(another, address));
    co_await note(log, "accept when it listens again", accept_op{listener});
    // Who waits in the queue of a listener that goes is reset.
    const owned_fd queued = tcp_socket();
    co_await note(log, "connect and wait", connect_to(queued, address));
    listener.reset();
    std::array<std::byte, 8> room{};
    co_await note(log, "reset in the queue", recv_op{queued, room});
    // A full queue: nobody answers.
    sockaddr_in narrow{};
    const owned_fd full = listening(narrow, 0, 0);
    const owned_fd first = tcp_socket();
    co_await note(log, "connect to a short queue", connect_to(first, narrow));
    const owned_fd stuck = tcp_socket();
    co_await note_limit(log, "connect to a full queue", connect_to(stuck, narrow));
}

// The ring polls, so that it waits also at a descriptor that does not block.
task<> nonblocking(std::string& log) {
    sockaddr_in address{};
    const owned_fd listener = listening(address, SOCK_NONBLOCK);
    co_await note_limit(log, "accept", accept_op{listener});
    const owned_fd client = tcp_socket(SOCK_NONBLOCK);
    co_await note(log, "connect", connect_to(client, address));
    const owned_fd accepted = co_await accept_op{listener};
    const int flags = sys::fcntl(accepted.get(), F_GETFL);
    log += (flags & O_NONBLOCK) != 0 ? "accepted: does not block\n" : "accepted: blocks\n";
    std::array<std::byte, 8> room{};
    bool more = true;
    co_await note_limit(log, "recv", recv_op{client, room});
    co_await note_limit(log, "provided recv", recv_provided_op{client, more});
    co_await note_limit(log, "read", read_op{client, room});
    auto ready = later("poll", poll_op{client, POLLIN});
    co_await send_op{accepted, bytes_of("x")};
    co_await join(log, ready);
    co_await note(log, "recv what came", recv_op{client, room});
    // A local one: TCP may find room for more a little later.
    const local_pair full;
    CHECK(sys::fcntl(full.a.get(), F_SETFL, O_NONBLOCK) == 0);
    const std::vector<std::byte> much(std::size_t{1} << 20);
    for (;;) {
        const auto n = co_await as_result(send_op{full.a, much, MSG_DONTWAIT});
        if (n) continue;
        log += "impatient: " + n.error().message() + '\n';
        break;
    }
    co_await note_limit(log, "send when it is full", send_op{full.a, much});
    co_await note_limit(log, "write when it is full", write_op{full.a, much});
    CHECK(sys::fcntl(full.a.get(), F_SETFL, 0) == 0);
    co_await note_limit(log, "write when it blocks", write_op{full.a, much});
    const owned_fd event{sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    co_await note_limit(log, "read an event", read_op{event, room});
    const pipe_pair pipe{O_NONBLOCK};
    co_await note_limit(log, "read a pipe", read_op{pipe.out, room});
    const std::string fill(65536, 'x');
    co_await note(log, "fill a pipe", write_op{pipe.in, bytes_of(fill)});
    co_await note_limit(log, "write to a full pipe", write_op{pipe.in, bytes_of("x")});
    const owned_fd datagrams = udp_socket(SOCK_NONBLOCK);
    bind_to_loopback(datagrams);
    co_await note_limit(log, "recv a datagram", recv_op{datagrams, room});
    co_await note_limit(log, "read a datagram", read_op{datagrams, room});
}

// The number of what was closed, and a request that began before.
task<> closed(std::string& log) {
    tcp_pair s;
    co_await make(s);
    std::array<std::byte, 8> room{};
    const int number = s.b.get();
    co_await note(log, "close", close_op{fd_ref{s.b.release()}});
    co_await note(log, "recv from a closed one", recv_op{fd_ref{number}, room});
    co_await note(log, "send to a closed one", send_op{fd_ref{number}, bytes_of("z")});
    co_await note(log, "read a closed one", read_op{fd_ref{number}, room});
    co_await note(log, "poll a closed one", poll_op{fd_ref{number}, POLLIN});
    co_await note(log, "accept from a closed one", accept_op{fd_ref{number}});
    co_await note(log, "shut a closed one", shutdown_op{fd_ref{number}, SHUT_WR});
    // That close(2) of a number that is not open gives EBADF cannot be asked here: the simulation takes it for a bug of the
    // program.
}

task<> closed_while_waiting(std::string& log) {
    tcp_pair s;
    co_await make(s);
    std::array<std::byte, 8> room{};
    auto reader = later("recv from one that is closed meanwhile", recv_op{s.b, room});
    co_await settle();
    s.b.reset();
    co_await settle();
    co_await note(log, "it is still open for the request", send_op{s.a, bytes_of("kept")});
    co_await join(log, reader);
    co_await note(log, "the end", recv_op{s.a, room});
}

owned_fd local_socket() { return owned_fd{sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}; }

/// What getsockname or getpeername gives; the zero byte of an abstract name as @.
template <class F>
std::string name_by(F call, const owned_fd& socket) {
    sockaddr_un address{};
    socklen_t length = sizeof address;
    if (call(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::strerror(errno);
    std::string text{address.sun_path, length - offsetof(sockaddr_un, sun_path)};
    if (!text.empty() && text.front() == '\0') text.front() = '@';
    return "'" + text + "'";
}
void note_call(std::string& log, const char* name, int res) {
    log += std::string{name} + ": " + (res == 0 ? "done" : std::strerror(errno)) + '\n';
}

task<> local_names(std::string& log) {
    std::array<std::byte, 8> room{};
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    std::strcpy(path.sun_path, "/nonexistent/socket");
    sockaddr_un abstract{};
    abstract.sun_family = AF_UNIX;
    std::strcpy(abstract.sun_path + 1, "ringlet-differential");
    constexpr auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 21);
    const auto& nowhere = reinterpret_cast<const sockaddr&>(path);
    const auto& here = reinterpret_cast<const sockaddr&>(abstract);

    owned_fd client = local_socket();
    co_await note(log, "no such path", connect_op{client, nowhere, sizeof path});
    co_await note(log, "no such name", connect_op{client, here, length});
    co_await note(log, "no name at all", connect_op{client, here, sizeof(sa_family_t)});
    owned_fd listener = local_socket();
    note_call(log, "listen without a name", sys::listen(listener.get(), 4));
    note_call(log, "bind", sys::bind(listener.get(), &here, length));
    note_call(log, "bind again", sys::bind(listener.get(), &here, length));
    note_call(log, "bind another one", sys::bind(client.get(), &here, length));
    co_await note(log, "nobody listens", connect_op{client, here, length});
    note_call(log, "listen", sys::listen(listener.get(), 4));
    co_await note(log, "the listener connects", connect_op{listener, here, length});
    auto accepting = later("late accept", accept_op{listener});
    co_await settle();
    co_await note(log, "connect", connect_op{client, here, length});
    co_await join(log, accepting);
    co_await note(log, "connect again", connect_op{client, here, length});

    owned_fd other = local_socket();
    co_await connect_op{other, here, length};
    co_await note(log, "send before it is accepted", send_op{other, bytes_of("early")});
    const owned_fd accepted = co_await accept_op{listener};
    co_await note(log, "what was sent early", recv_op{accepted, room});
    log += "names: " + name_by(&sys::getsockname, listener) + ' ' + name_by(&sys::getsockname, accepted) + ' ' +
           name_by(&sys::getpeername, accepted) + ' ' + name_by(&sys::getsockname, other) + ' ' +
           name_by(&sys::getpeername, other) + ' ' + name_by(&sys::getpeername, listener) + '\n';
    note_call(log, "bind what was accepted", sys::bind(accepted.get(), &here, length));

    const owned_fd waiting = local_socket();
    co_await connect_op{waiting, here, length};
    listener.reset();
    co_await settle();
    co_await note(log, "recv from one that nobody accepted", recv_op{waiting, room});
    co_await note(log, "send to it", send_op{waiting, bytes_of("z")});
    co_await note(log, "what was accepted goes on", send_op{accepted, bytes_of("still")});
    co_await note(log, "received", recv_op{other, room});
    const owned_fd late = local_socket();
    co_await note(log, "the name has gone", connect_op{late, here, length});
    const owned_fd second = local_socket();
    note_call(log, "and is free", sys::bind(second.get(), &here, length));
}

}  // namespace

std::vector<scenario> socket_scenarios() {
    return {{"local streams", local_streams},
            {"TCP streams", tcp_streams},
            {"whole messages", whole_messages},
            {"connections", connections},
            {"unconnected sockets", unconnected},
            {"half closes", half_closes},
            {"resets", resets},
            {"listeners", listeners},
            {"descriptors that do not block", nonblocking},
            {"closed descriptors", closed},
            {"descriptors closed while an operation waits", closed_while_waiting, nullptr,
             "epoll forgets a descriptor that is closed, whoever waits for it"},
            {"names of local sockets", local_names}};
}

}  // namespace ringlet_tests::differential
