// SPDX-License-Identifier: MIT
// The simulated network, by the calls of its sockets; what is expected here is what Linux does.
#include "catch.hpp"
#include <ringlet/testing/detail/byte_queue.hpp>
#include <ringlet/testing/detail/network.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

using namespace ringlet;
using namespace ringlet::testing;
using namespace ringlet::testing::detail;
using namespace std::chrono_literals;

namespace {

// Without POLLRDNORM and POLLWRNORM, which come with POLLIN and POLLOUT.
int events_of(const ringlet::testing::detail::open_file& file) {
    return file.ready_events() & ~(POLLRDNORM | POLLWRNORM);
}

using file = std::shared_ptr<open_file>;

struct address {
    sockaddr_storage storage{};
    socklen_t length = 0;
    sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }

    address() = default;
    address(const char* ip, int port) {
        if (std::string_view{ip}.find(':') != std::string_view::npos) {
            sockaddr_in6 v6{};
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(static_cast<std::uint16_t>(port));
            ::inet_pton(AF_INET6, ip, &v6.sin6_addr);
            length = sizeof v6;
            std::memcpy(&storage, &v6, length);
        } else {
            sockaddr_in v4{};
            v4.sin_family = AF_INET;
            v4.sin_port = htons(static_cast<std::uint16_t>(port));
            ::inet_pton(AF_INET, ip, &v4.sin_addr);
            length = sizeof v4;
            std::memcpy(&storage, &v4, length);
        }
    }
    std::string ip() const {
        std::array<char, INET6_ADDRSTRLEN> text{};
        const auto* at = reinterpret_cast<const char*>(&storage) + (storage.ss_family == AF_INET ? 4 : 8);
        return ::inet_ntop(storage.ss_family, at, text.data(), text.size());
    }
    int port() const {
        std::uint16_t read = 0;
        std::memcpy(&read, reinterpret_cast<const char*>(&storage) + 2, sizeof read);
        return ntohs(read);
    }
    std::string to_string() const { return ip() + " " + std::to_string(port()); }
};

address local_of(const file& socket) {
    address got;
    got.length = sizeof got.storage;
    CHECK(socket->local_address(got.data(), &got.length) == 0);
    return got;
}

address peer_of(const file& socket) {
    address got;
    got.length = sizeof got.storage;
    CHECK(socket->peer_address(got.data(), &got.length) == 0);
    return got;
}

std::int64_t bind_to(const file& socket, const char* ip, int port) {
    address to{ip, port};
    return socket->bind(to.data(), to.length);
}

std::int64_t connect(const file& socket, const char* ip, int port) {
    address to{ip, port};
    return socket->connect(to.data(), to.length);
}

std::int64_t send(const file& socket, std::string_view text) {
    return socket->write(std::as_bytes(std::span{text}), -1);
}

/// A datagram.
std::int64_t send_to(const file& socket, std::string_view text, const char* ip, int port) {
    address to{ip, port};
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr message{};
    message.msg_name = to.data();
    message.msg_namelen = to.length;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return socket->send(message, 0);
}

struct received {
    std::int64_t result = 0;
    std::string text;
    address from;
    int flags = 0;
    std::vector<std::byte> control;
    msghdr header{};

    /// The first control message of this kind, or null.
    template <typename T>
    bool find(int level, int type, T& value) {
        header.msg_control = control.data();
        for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
            if (c->cmsg_level != level || c->cmsg_type != type || c->cmsg_len < CMSG_LEN(sizeof value)) continue;
            std::memcpy(&value, CMSG_DATA(c), sizeof value);
            return true;
        }
        return false;
    }
};

received receive(const file& socket, int flags = 0, std::size_t room = 1000, std::size_t control_room = 256) {
    received got;
    got.text.resize(room);
    got.control.resize(control_room);
    got.from.length = sizeof got.from.storage;
    iovec part{got.text.data(), room};
    got.header.msg_name = &got.from.storage;
    got.header.msg_namelen = sizeof got.from.storage;
    got.header.msg_iov = &part;
    got.header.msg_iovlen = 1;
    got.header.msg_control = got.control.data();
    got.header.msg_controllen = got.control.size();
    got.result = socket->receive(got.header, flags);
    got.flags = got.header.msg_flags;
    got.text.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(got.result, 0, static_cast<std::int64_t>(room))));
    return got;
}

int option(const file& socket, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    const auto got = socket->get_option(level, name, &value, &length);
    return got < 0 ? static_cast<int>(got) : value;
}

std::int64_t set(const file& socket, int level, int name, int value) {
    return socket->set_option(level, name, &value, sizeof value);
}

struct host {
    explicit host(const fault_plan& plan = {}, std::uint64_t seed = 1) : time{seed, plan}, net{time} {}
    world time;
    network net;

    file socket(int domain, int type) {
        file made;
        CHECK(net.socket(domain, type, 0, made) == 0);
        return made;
    }
    file tcp(int domain = AF_INET) { return socket(domain, SOCK_STREAM); }
    file udp(int domain = AF_INET) { return socket(domain, SOCK_DGRAM); }
    file bound_udp(const char* ip, int port) {
        file made = udp(std::string_view{ip}.find(':') == std::string_view::npos ? AF_INET : AF_INET6);
        CHECK(bind_to(made, ip, port) == 0);
        return made;
    }
    file listener(const char* ip = "127.0.0.1", int port = 80, int backlog = 100) {
        file made = tcp(std::string_view{ip}.find(':') == std::string_view::npos ? AF_INET : AF_INET6);
        CHECK(bind_to(made, ip, port) == 0);
        CHECK(made->listen(backlog) == 0);
        return made;
    }
    void settle() {
        while (time.happen_next(deadline::max())) {
        }
    }
};

struct pair {
    explicit pair(host& in) : client{in.tcp()} {
        const file listener = in.listener();
        CHECK(connect(client, "127.0.0.1", 80) == -EINPROGRESS);
        in.settle();
        CHECK(connect(client, "127.0.0.1", 80) == 0);
        CHECK(listener->accept(server) == 0);
    }
    file client;
    file server;
};

constexpr short all_over = POLLIN | POLLOUT | POLLHUP | POLLRDHUP;

}  // namespace

TEST_CASE("a byte queue is first in, first out", "[testing][network]") {
    byte_queue queue;
    std::string in;
    std::string out;
    std::size_t next = 0;
    for (int i = 0; i < 2000; ++i) {
        std::string more(static_cast<std::size_t>(i * 7 % 50), '\0');
        for (char& c : more) c = static_cast<char>('a' + next++ % 26);
        in += more;
        queue.append(std::as_bytes(std::span{more}));
        std::string taken(static_cast<std::size_t>(i * 11 % 48), '\0');
        taken.resize(queue.copy(std::as_writable_bytes(std::span{taken})));
        queue.consume(taken.size());
        out += taken;
    }
    std::string rest(queue.size() + 10, '\0');
    rest.resize(queue.copy(std::as_writable_bytes(std::span{rest})));
    CHECK(out + rest == in);
    std::array<std::byte, 2> two;
    CHECK(queue.copy(queue.size() - 1, two) == 1);
    CHECK(queue.copy(queue.size() + 1, two) == 0);
    queue.consume(queue.size() + 1);
    CHECK(queue.empty());
}

TEST_CASE("which sockets there are", "[testing][network]") {
    host h;
    file made;
    CHECK(h.net.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP, made) == 0);
    CHECK((made->status_flags & O_NONBLOCK) != 0);
    CHECK(option(made, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
    CHECK(option(made, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP);
    CHECK(h.net.socket(99, SOCK_STREAM, 0, made) == -EAFNOSUPPORT);
    CHECK(h.net.socket(AF_INET, SOCK_STREAM, IPPROTO_UDP, made) == -EPROTONOSUPPORT);
    CHECK(h.net.socket(AF_INET, SOCK_SEQPACKET, 0, made) == -ESOCKTNOSUPPORT);
    CHECK(h.net.socket(AF_INET, 11, 0, made) == -EINVAL);
    struct stat a;
    struct stat b;
    CHECK(h.tcp()->stat(a) == 0);
    CHECK(h.udp()->stat(b) == 0);
    CHECK(S_ISSOCK(a.st_mode));
    CHECK(a.st_ino != b.st_ino);
}

TEST_CASE("a connection is made, carries bytes both ways and ends", "[testing][network]") {
    host h;
    const file listener = h.listener();
    CHECK(listener->describe() == "TCP listening at 127.0.0.1:80");
    file server;
    CHECK(listener->accept(server) == -EAGAIN);
    CHECK(events_of(*listener) == 0);

    const file client = h.tcp();
    CHECK(events_of(*client) == (POLLOUT | POLLHUP));
    CHECK(receive(client).result == -ENOTCONN);
    CHECK(send(client, "x") == -EPIPE);
    CHECK(connect(client, "127.0.0.1", 80) == -EINPROGRESS);
    CHECK(connect(client, "127.0.0.1", 80) == -EALREADY);
    CHECK(events_of(*client) == 0);
    CHECK(send(client, "x") == -EAGAIN);
    h.settle();
    CHECK(events_of(*client) == POLLOUT);
    CHECK(connect(client, "127.0.0.1", 80) == 0);
    CHECK(connect(client, "127.0.0.1", 80) == -EISCONN);
    CHECK(events_of(*listener) == POLLIN);
    CHECK(listener->accept(server) == 0);
    CHECK(client->describe() == "TCP 127.0.0.1:32768 to 127.0.0.1:80");
    CHECK(peer_of(server).to_string() == local_of(client).to_string());
    CHECK(peer_of(client).to_string() == "127.0.0.1 80");

    CHECK(send(client, "hello ") == 6);
    CHECK(send(client, "world") == 5);
    int queued = -1;
    CHECK(client->ioctl(SIOCOUTQ, &queued) == 0);
    CHECK(queued == 11);
    CHECK(receive(server).result == -EAGAIN);
    h.settle();
    CHECK(events_of(*server) == (POLLIN | POLLOUT));
    CHECK(server->ioctl(SIOCINQ, &queued) == 0);
    CHECK(queued == 11);
    CHECK(receive(server, MSG_PEEK, 5).text == "hello");
    CHECK(receive(server, 0, 8).text == "hello wo");
    CHECK(receive(server).text == "rld");

    CHECK(client->shutdown(SHUT_WR) == 0);
    CHECK(send(client, "x") == -EPIPE);
    h.settle();
    CHECK(events_of(*server) == (POLLIN | POLLOUT | POLLRDHUP));
    CHECK(receive(server).result == 0);
    CHECK(send(server, "still open") == 10);
    server.reset();
    h.settle();
    CHECK(events_of(*client) == all_over);
    CHECK(receive(client).text == "still open");
    CHECK(receive(client).result == 0);
    CHECK(client->shutdown(SHUT_WR) == -ENOTCONN);
}

TEST_CASE("bytes are gathered and scattered, as many as there is room for", "[testing][network]") {
    host h;
    const pair p{h};
    std::string sent;
    for (int i = 0; i < 70'000; ++i) sent += std::to_string(i);
    std::string got;
    std::size_t at = 0;
    while (got.size() < sent.size()) {
        std::string_view left = std::string_view{sent}.substr(at);
        std::array<iovec, 2> parts{
            iovec{const_cast<char*>(left.data()), left.size() / 3},
            iovec{const_cast<char*>(left.data()) + left.size() / 3, left.size() - left.size() / 3}};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = 2;
        while (at < sent.size()) {
            const auto n = p.client->send(message, 0);
            if (n == -EAGAIN) {
                CHECK((events_of(*p.client) & POLLOUT) == 0);
                break;
            }
            REQUIRE(n > 0);
            at += static_cast<std::size_t>(n);
            left = std::string_view{sent}.substr(at);
            parts = {iovec{const_cast<char*>(left.data()), left.size()}, iovec{}};
        }
        h.settle();
        std::string a(1000, '\0');
        std::string b(40'000, '\0');
        std::array<iovec, 2> into{iovec{a.data(), a.size()}, iovec{b.data(), b.size()}};
        msghdr taken{};
        taken.msg_iov = into.data();
        taken.msg_iovlen = 2;
        const auto n = p.server->receive(taken, 0);
        REQUIRE(n > 0);
        got += (a + b).substr(0, static_cast<std::size_t>(n));
        CHECK((events_of(*p.client) & POLLOUT) != 0);
    }
    CHECK(got == sent);
}

TEST_CASE("a connection is refused", "[testing][network]") {
    host h;
    const file client = h.tcp();
    CHECK(connect(client, "127.0.0.1", 9) == -EINPROGRESS);
    h.settle();
    CHECK(events_of(*client) == (all_over | POLLERR));
    CHECK(connect(client, "127.0.0.1", 9) == -ECONNREFUSED);
    CHECK(events_of(*client) == (POLLOUT | POLLHUP));

    CHECK(connect(client, "127.0.0.1", 9) == -EINPROGRESS);
    h.settle();
    CHECK(option(client, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
    CHECK(option(client, SOL_SOCKET, SO_ERROR) == 0);
    CHECK(connect(client, "127.0.0.1", 9) == -ECONNABORTED);

    const file listener = h.listener();
    CHECK(connect(client, "127.0.0.1", 80) == -EINPROGRESS);
    h.settle();
    CHECK(connect(client, "127.0.0.1", 80) == 0);

    CHECK(connect(h.tcp(), "192.0.2.1", 80) == -ENETUNREACH);
}

TEST_CASE("a connection is refused though somebody listens", "[testing][network]") {
    host h{fault_plan{}.with(fault::connection_refused, 1)};
    const file listener = h.listener();
    const file client = h.tcp();
    CHECK(connect(client, "127.0.0.1", 80) == -EINPROGRESS);
    h.settle();
    CHECK(connect(client, "127.0.0.1", 80) == -ECONNREFUSED);
}

TEST_CASE("a full backlog makes a SYN come again, and six times at most", "[testing][network]") {
    host h;
    const file listener = h.listener("127.0.0.1", 80, 1);
    std::vector<file> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(h.tcp());
        CHECK(connect(clients.back(), "127.0.0.1", 80) == -EINPROGRESS);
    }
    while (h.time.happen_next(deadline{900ms})) {
    }
    const auto connected = [](const file& f) { return (events_of(*f) & POLLOUT) != 0; };
    CHECK(std::ranges::count_if(clients, connected) == 2);
    SECTION("room in time") {
        file server;
        CHECK(listener->accept(server) == 0);
        h.settle();
        CHECK(std::ranges::count_if(clients, connected) == 3);
        CHECK(h.time.now() < deadline{1100ms});
    }
    SECTION("no room") {
        h.settle();
        CHECK(h.time.now() >= deadline{127s});
        CHECK(h.time.now() < deadline{128s});
        std::vector<std::int64_t> results;
        for (const file& client : clients) results.push_back(connect(client, "127.0.0.1", 80));
        std::ranges::sort(results);
        CHECK(results == std::vector<std::int64_t>{-ETIMEDOUT, 0, 0});
    }
}

TEST_CASE("what a close tells the peer", "[testing][network]") {
    host h;
    pair p{h};
    SECTION("an end of stream, and a reset when more is sent") {
        CHECK(send(p.server, "data") == 4);
        p.server.reset();
        h.settle();
        CHECK(send(p.client, "x") == 1);
        h.settle();
        CHECK(events_of(*p.client) == (all_over | POLLERR));
        CHECK(send(p.client, "x") == -EPIPE);
        CHECK(receive(p.client).text == "data");
        CHECK(receive(p.client).result == 0);
    }
    SECTION("a reset, when bytes were unread") {
        CHECK(send(p.server, "data") == 4);
        CHECK(send(p.client, "unread") == 6);
        h.settle();
        p.server.reset();
        h.settle();
        CHECK(events_of(*p.client) == (all_over | POLLERR));
        SECTION("receive says so") {
            CHECK(receive(p.client).text == "data");
            CHECK(receive(p.client).result == -ECONNRESET);
            CHECK(receive(p.client).result == 0);
            CHECK(send(p.client, "x") == -EPIPE);
        }
        SECTION("send says so") {
            CHECK(send(p.client, "x") == -ECONNRESET);
            CHECK(send(p.client, "x") == -EPIPE);
            CHECK(receive(p.client).text == "data");
            CHECK(receive(p.client).result == 0);
        }
        sockaddr_storage name;
        socklen_t length = sizeof name;
        CHECK(p.client->peer_address(reinterpret_cast<sockaddr*>(&name), &length) == -ENOTCONN);
    }
    SECTION("a reset, with SO_LINGER of no time") {
        const linger now{1, 0};
        CHECK(p.server->set_option(SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
        p.server.reset();
        h.settle();
        CHECK(option(p.client, SOL_SOCKET, SO_ERROR) == ECONNRESET);
        CHECK(receive(p.client).result == 0);
    }
    SECTION("a reset, when bytes arrive too late") {
        CHECK(send(p.client, "late") == 4);
        p.server.reset();
        h.settle();
        CHECK((events_of(*p.client) & POLLERR) != 0);
    }
}

TEST_CASE("a fault resets both sides", "[testing][network]") {
    host h{fault_plan{}.with(fault::connection_reset, 1)};
    pair p{h};
    SECTION("in receive") { CHECK(receive(p.client).result == -ECONNRESET); }
    SECTION("in send") { CHECK(send(p.client, "x") == -ECONNRESET); }
    CHECK(send(p.client, "x") == -EPIPE);
    CHECK(receive(p.client).result == 0);
    h.settle();
    CHECK(receive(p.server).result == -ECONNRESET);
    CHECK(receive(p.server).result == 0);
    CHECK(send(p.server, "x") == -EPIPE);
}

TEST_CASE("SHUT_RD gives what is there, then the end", "[testing][network]") {
    host h;
    const pair p{h};
    CHECK(send(p.server, "abc") == 3);
    h.settle();
    CHECK(p.client->shutdown(SHUT_RD) == 0);
    CHECK(receive(p.client).text == "abc");
    CHECK(receive(p.client).result == 0);
    CHECK(p.client->shutdown(7) == -EINVAL);

    const file listener = h.listener("127.0.0.1", 81);
    const file waiting = h.tcp();
    CHECK(connect(waiting, "127.0.0.1", 81) == -EINPROGRESS);
    h.settle();
    CHECK(listener->shutdown(SHUT_RD) == 0);
    h.settle();
    CHECK((events_of(*waiting) & POLLERR) != 0);
    file none;
    CHECK(listener->accept(none) == -EINVAL);
    CHECK(listener->listen(1) == 0);
}

TEST_CASE("who may bind where", "[testing][network]") {
    host h;
    const auto try_bind = [&](const char* ip, int port, bool reuse = false, int v6_only = -1) {
        const file made = h.tcp(std::string_view{ip}.find(':') == std::string_view::npos ? AF_INET : AF_INET6);
        if (reuse) CHECK(set(made, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
        if (v6_only >= 0) CHECK(set(made, IPPROTO_IPV6, IPV6_V6ONLY, v6_only) == 0);
        return bind_to(made, ip, port);
    };
    const file first = h.tcp();
    CHECK(bind_to(first, "127.0.0.1", 80) == 0);
    CHECK(bind_to(first, "127.0.0.1", 81) == -EINVAL);
    CHECK(try_bind("127.0.0.1", 80, true) == -EADDRINUSE);
    CHECK(set(first, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
    CHECK(try_bind("127.0.0.1", 80) == -EADDRINUSE);
    CHECK(try_bind("127.0.0.1", 80, true) == 0);
    CHECK(first->listen(1) == 0);
    CHECK(try_bind("127.0.0.1", 80, true) == -EADDRINUSE);
    CHECK(try_bind("0.0.0.0", 80, true) == -EADDRINUSE);
    CHECK(try_bind("::", 80, true) == -EADDRINUSE);
    CHECK(try_bind("::ffff:127.0.0.1", 80, true) == -EADDRINUSE);
    CHECK(try_bind("::", 80, true, 1) == 0);
    CHECK(try_bind("::1", 80) == 0);
    CHECK(try_bind("127.0.0.2", 80) == 0);
    CHECK(try_bind("10.1.2.3", 80) == 0);
    CHECK(try_bind("8.8.8.8", 80) == -EADDRNOTAVAIL);
    CHECK(try_bind("::ffff:127.0.0.1", 82, false, 1) == -EINVAL);
    address v6{"::1", 0};
    CHECK(h.tcp()->bind(v6.data(), v6.length) == -EAFNOSUPPORT);

    const file any = h.tcp();
    CHECK(any->listen(1) == 0);
    CHECK(local_of(any).to_string() == "0.0.0.0 32768");
    CHECK(bind_to(h.tcp(), "127.0.0.1", 32768) == -EADDRINUSE);
}

TEST_CASE("a port is in use by its connections, unless SO_REUSEADDR says", "[testing][network]") {
    host h;
    const bool reuse = GENERATE(false, true);
    const auto bound = [&](std::int64_t expected) {
        file made = h.tcp();
        if (reuse) CHECK(set(made, SOL_SOCKET, SO_REUSEADDR, 1) == 0);
        CHECK(bind_to(made, "127.0.0.1", 80) == expected);
        return made;
    };
    file listener = bound(0);
    CHECK(listener->listen(1) == 0);
    const file client = h.tcp();
    connect(client, "127.0.0.1", 80);
    h.settle();
    file server;
    CHECK(listener->accept(server) == 0);
    listener.reset();
    bound(reuse ? 0 : -EADDRINUSE);
    server.reset();
    bound(0);
}

TEST_CASE("a socket for IPv6 takes connections of IPv4", "[testing][network]") {
    host h;
    const file listener = h.listener("::", 80);
    const file client = h.tcp();
    CHECK(connect(client, "127.0.0.5", 80) == -EINPROGRESS);
    h.settle();
    file server;
    CHECK(listener->accept(server) == 0);
    CHECK(local_of(client).ip() == "127.0.0.1");
    CHECK(peer_of(server).ip() == "::ffff:127.0.0.1");
    CHECK(local_of(server).to_string() == "::ffff:127.0.0.5 80");

    const file any = h.tcp(AF_INET6);
    CHECK(connect(any, "::", 80) == -EINPROGRESS);
    h.settle();
    CHECK(peer_of(any).to_string() == "::1 80");
    const file only = h.tcp(AF_INET6);
    CHECK(set(only, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0);
    CHECK(connect(only, "::ffff:127.0.0.1", 80) == -ENETUNREACH);
}

TEST_CASE("options are kept, unknown ones refused", "[testing][network]") {
    host h;
    const file listener = h.listener();
    CHECK(set(listener, IPPROTO_TCP, TCP_NODELAY, 1) == 0);
    CHECK(option(listener, SOL_SOCKET, SO_ACCEPTCONN) == 1);
    const file client = h.tcp();
    connect(client, "127.0.0.1", 80);
    h.settle();
    file server;
    CHECK(listener->accept(server) == 0);
    CHECK(option(server, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(client, IPPROTO_TCP, TCP_NODELAY) == 0);
    CHECK(option(client, SOL_SOCKET, SO_ACCEPTCONN) == 0);
    CHECK(option(client, SOL_SOCKET, SO_DOMAIN) == AF_INET);

    CHECK(set(client, SOL_SOCKET, SO_RCVBUF, 10'000) == 0);
    CHECK(option(client, SOL_SOCKET, SO_RCVBUF) == 20'000);
    CHECK(set(client, SOL_SOCKET, SO_RCVBUFFORCE, 10'000) == -EPERM);
    CHECK(set(client, SOL_SOCKET, 9999, 1) == -ENOPROTOOPT);
    CHECK(set(client, IPPROTO_IPV6, IPV6_RECVERR, 1) == -ENOPROTOOPT);
    CHECK(option(client, IPPROTO_IPV6, IPV6_RECVERR) == -EOPNOTSUPP);
    CHECK(set(h.udp(), IPPROTO_TCP, TCP_NODELAY, 1) == -ENOPROTOOPT);
    CHECK(set(h.udp(AF_INET6), IPPROTO_IP, IP_RECVERR, 1) == 0);
    CHECK(client->set_option(SOL_SOCKET, SO_KEEPALIVE, "", 1) == -EINVAL);

    CHECK(send(server, std::string(50'000, 'x')) == 20'000);
}

TEST_CASE("a socket pair is connected, and at once", "[testing][network]") {
    host h;
    file a;
    file b;
    CHECK(h.net.socket_pair(a, b) == 0);
    CHECK(send(a, "abc") == 3);
    CHECK(receive(b).text == "abc");
    CHECK(set(a, IPPROTO_TCP, TCP_NODELAY, 1) == -EOPNOTSUPP);
    CHECK(option(a, SOL_SOCKET, SO_DOMAIN) == AF_UNIX);
    CHECK(local_of(a).length == sizeof(sa_family_t));
    SECTION("half of it closes") {
        CHECK(a->shutdown(SHUT_WR) == 0);
        CHECK(receive(b).result == 0);
        CHECK(send(b, "x") == 1);
        CHECK(receive(a).text == "x");
    }
    SECTION("one end closes") {
        CHECK(send(a, "rest") == 4);
        a.reset();
        CHECK(events_of(*b) == all_over);
        CHECK(receive(b).text == "rest");
        CHECK(receive(b).result == 0);
        CHECK(send(b, "x") == -EPIPE);
    }
    SECTION("one end closes with bytes unread") {
        CHECK(send(b, "unread") == 6);
        a.reset();
        CHECK(events_of(*b) == (all_over | POLLERR));
        CHECK(receive(b).result == -ECONNRESET);
        CHECK(receive(b).result == 0);
    }
}

TEST_CASE("datagrams arrive whole, in order, with their sender", "[testing][network]") {
    host h;
    const file server = h.bound_udp("127.0.0.1", 9000);
    CHECK(server->describe() == "UDP 127.0.0.1:9000");
    const file client = h.udp();
    CHECK(send(client, "x") == -EDESTADDRREQ);
    for (const char* text : {"one", "", "three"}) CHECK(send_to(client, text, "127.0.0.1", 9000) >= 0);
    CHECK(receive(server).result == -EAGAIN);
    h.settle();
    CHECK(receive(server, MSG_PEEK).text == "one");
    received got = receive(server, 0, 2);
    CHECK(got.text == "on");
    CHECK(got.flags == MSG_TRUNC);
    CHECK(got.from.to_string() == "127.0.0.1 32768");
    CHECK(receive(server).result == 0);
    CHECK(receive(server, MSG_TRUNC, 2).result == 5);
    CHECK(receive(server).result == -EAGAIN);

    CHECK(send_to(client, std::string(65'508, 'x'), "127.0.0.1", 9000) == -EMSGSIZE);
    CHECK(send_to(client, std::string(65'507, 'x'), "127.0.0.1", 9000) == 65'507);
    CHECK(send_to(h.udp(AF_INET6), std::string(65'527, 'x'), "::1", 9000) == 65'527);
    CHECK(send_to(client, "x", "127.0.0.1", 0) == -EINVAL);
    CHECK(send_to(client, "x", "8.8.8.8", 53) == -ENETUNREACH);
    CHECK(bind_to(h.udp(), "0.0.0.0", 9000) == -EADDRINUSE);
}

TEST_CASE("a connected UDP socket hears its peer only", "[testing][network]") {
    host h;
    const file a = h.bound_udp("127.0.0.1", 1000);
    const file b = h.bound_udp("127.0.0.1", 2000);
    const file c = h.bound_udp("127.0.0.1", 3000);
    CHECK(connect(a, "127.0.0.1", 2000) == 0);
    CHECK(peer_of(a).port() == 2000);
    CHECK(send(a, "to b") == 4);
    CHECK(send_to(b, "from b", "127.0.0.1", 1000) == 6);
    CHECK(send_to(c, "from c", "127.0.0.1", 1000) == 6);
    h.settle();
    CHECK(receive(b).text == "to b");
    CHECK(receive(a).text == "from b");
    CHECK(receive(a).result == -EAGAIN);
}

TEST_CASE("a full receive queue drops datagrams", "[testing][network]") {
    host h;
    const file server = h.bound_udp("127.0.0.1", 9000);
    const file client = h.udp();
    for (int i = 0; i < 1000; ++i) send_to(client, "12345678901234567890123456789012", "127.0.0.1", 9000);
    h.settle();
    int count = 0;
    while (receive(server).result > 0) ++count;
    CHECK(count == 212'992 / 800);
}

TEST_CASE("datagrams of IPv4 and IPv6 to one socket, with the address that was asked", "[testing][network]") {
    host h;
    const file server = h.bound_udp("::", 9000);
    CHECK(set(server, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0);
    CHECK(send_to(h.udp(), "v4", "127.0.0.3", 9000) == 2);
    h.settle();
    received got = receive(server);
    CHECK(got.from.ip() == "::ffff:127.0.0.1");
    in6_pktinfo info{};
    CHECK(got.find(IPPROTO_IPV6, IPV6_PKTINFO, info));
    CHECK(info.ipi6_ifindex == 1);
    address asked{"::ffff:127.0.0.3", 0};
    CHECK(std::memcmp(&info.ipi6_addr, &reinterpret_cast<sockaddr_in6&>(asked.storage).sin6_addr, 16) == 0);

    CHECK(set(server, IPPROTO_IP, IP_PKTINFO, 1) == 0);
    CHECK(send_to(h.udp(), "v4", "10.0.0.3", 9000) == 2);
    h.settle();
    got = receive(server, MSG_PEEK);
    in_pktinfo info4{};
    CHECK(got.find(IPPROTO_IP, IP_PKTINFO, info4));
    CHECK(info4.ipi_addr.s_addr == ::inet_addr("10.0.0.3"));
    CHECK(got.from.ip() == "::ffff:10.0.0.1");
    CHECK((receive(server, MSG_PEEK, 10, 8).flags & MSG_CTRUNC) != 0);
    got = receive(server, 0, 10, 20);
    CHECK((got.flags & MSG_CTRUNC) != 0);
    CHECK(got.header.msg_controllen == 20);
}

TEST_CASE("a control message says which address a datagram comes from", "[testing][network]") {
    host h;
    const file server = h.bound_udp("127.0.0.1", 9000);
    const auto send_from = [&](const file& socket, const char* source, const char* to_ip) {
        alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(in_pktinfo))> control{};
        address to{to_ip, 9000};
        iovec part{const_cast<char*>("x"), 1};
        msghdr message{};
        message.msg_name = to.data();
        message.msg_namelen = to.length;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
        in_pktinfo info{};
        info.ipi_spec_dst.s_addr = ::inet_addr(source);
        std::memcpy(CMSG_DATA(c), &info, sizeof info);
        return socket->send(message, 0);
    };
    CHECK(send_from(h.udp(), "127.0.0.9", "127.0.0.1") == 1);
    CHECK(send_from(h.udp(), "8.8.8.8", "127.0.0.1") == -ENETUNREACH);
    CHECK(send_from(h.udp(AF_INET6), "127.0.0.8", "::ffff:127.0.0.1") == 1);
    h.settle();
    std::vector<std::string> sources{receive(server).from.ip(), receive(server).from.ip()};
    std::ranges::sort(sources);
    CHECK(sources == std::vector<std::string>{"127.0.0.8", "127.0.0.9"});
}

TEST_CASE("a datagram to nobody is refused", "[testing][network]") {
    host h;
    SECTION("on a connected socket") {
        const file client = h.udp();
        CHECK(connect(client, "127.0.0.1", 9) == 0);
        CHECK(send(client, "x") == 1);
        h.settle();
        CHECK(events_of(*client) == (POLLOUT | POLLERR));
        CHECK(send(client, "x") == -ECONNREFUSED);
        CHECK(send(client, "x") == 1);
        h.settle();
        CHECK(receive(client).result == -ECONNREFUSED);
        CHECK(receive(client).result == -EAGAIN);
    }
    SECTION("unheard") {
        const file client = h.udp();
        CHECK(send_to(client, "x", "127.0.0.1", 9) == 1);
        h.settle();
        CHECK(events_of(*client) == POLLOUT);
        CHECK(receive(client, MSG_ERRQUEUE).result == -EAGAIN);
    }
}

TEST_CASE("an error queue says which datagram was refused", "[testing][network]") {
    host h;
    const int kind = GENERATE(0, 1, 2);
    const int domain = kind == 0 ? AF_INET : AF_INET6;
    const char* ip = std::array{"127.0.0.1", "::1", "::ffff:127.0.0.1"}[static_cast<std::size_t>(kind)];
    const file client = h.udp(domain);
    CHECK(set(client, kind == 1 ? IPPROTO_IPV6 : IPPROTO_IP, kind == 1 ? IPV6_RECVERR : IP_RECVERR, 1) == 0);
    CHECK(send_to(client, "hello", ip, 9) == 5);
    CHECK(send_to(client, "again", ip, 9) == 5);
    h.settle();
    CHECK(receive(client).result == -ECONNREFUSED);
    CHECK(receive(client).result == -EAGAIN);
    CHECK(events_of(*client) == (POLLOUT | POLLERR));

    received got = receive(client, MSG_ERRQUEUE, 3);
    CHECK(got.text == "hel");
    CHECK(got.flags == (MSG_ERRQUEUE | MSG_TRUNC));
    CHECK(got.from.to_string() == std::string{ip} + " 9");
    struct {
        sock_extended_err error;
        sockaddr_in offender;
    } told{};
    CHECK(got.find(kind == 0 ? IPPROTO_IP : IPPROTO_IPV6, kind == 0 ? IP_RECVERR : IPV6_RECVERR, told));
    CHECK(told.error.ee_errno == ECONNREFUSED);
    CHECK(told.error.ee_origin == (kind == 1 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP));
    CHECK(told.error.ee_type == (kind == 1 ? 1 : 3));
    CHECK(told.error.ee_code == (kind == 1 ? 4 : 3));
    CHECK(told.offender.sin_family == domain);

    CHECK(option(client, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
    CHECK(receive(client, MSG_ERRQUEUE).text == "again");
    CHECK(receive(client, MSG_ERRQUEUE).result == -EAGAIN);
    CHECK(events_of(*client) == POLLOUT);
}

TEST_CASE("datagrams are lost, doubled and late", "[testing][network]") {
    const auto arrived = [](const fault_plan& plan) {
        host h{plan};
        const file server = h.bound_udp("127.0.0.1", 9000);
        const file client = h.udp();
        std::string all;
        for (const char* text : {"a", "b", "c", "d", "e", "f"}) CHECK(send_to(client, text, "127.0.0.1", 9000) == 1);
        h.settle();
        while (true) {
            const received got = receive(server);
            if (got.result < 0) return all;
            all += got.text;
        }
    };
    CHECK(arrived({}) == "abcdef");
    CHECK(arrived(fault_plan{}.with(fault::datagram_lost, 1)).empty());
    CHECK(arrived(fault_plan{}.with(fault::datagram_duplicated, 1)) == "aabbccddeeff");
    std::string late = arrived(fault_plan{}.with(fault::datagram_delayed, 0.5));
    CHECK(late != "abcdef");
    std::ranges::sort(late);
    CHECK(late == "abcdef");
    host full{fault_plan{}.with(fault::no_buffers, 1)};
    CHECK(send_to(full.udp(), "x", "127.0.0.1", 9000) == -ENOBUFS);
}

TEST_CASE("the same seed gives the same, and sockets may outlive the network", "[testing][network]") {
    const auto run = [](std::uint64_t seed) {
        world time{seed, fault_plan::everything(0.05)};
        std::vector<file> sockets;
        {
            network net{time};
            const auto make = [&](int type) {
                sockets.emplace_back();
                CHECK(net.socket(AF_INET, type, 0, sockets.back()) == 0);
                return sockets.back();
            };
            const file listener = make(SOCK_STREAM);
            CHECK(bind_to(listener, "127.0.0.1", 80) == 0);
            CHECK(listener->listen(10) == 0);
            for (int i = 0; i < 50; ++i) {
                connect(make(SOCK_STREAM), "127.0.0.1", 80);
                send_to(make(SOCK_DGRAM), "hello", "127.0.0.1", 32768 + i);
            }
            while (time.happen_next(time.now() + 3s)) {
                for (const file& s : sockets) {
                    time.note(static_cast<std::uint64_t>(events_of(*s)));
                    time.note(static_cast<std::uint64_t>(receive(s).result));
                    if (time.below(4) == 0) time.note(static_cast<std::uint64_t>(send(s, "some bytes")));
                }
                file server;
                if (listener->accept(server) == 0) sockets.push_back(server);
                if (time.steps() > 200'000) break;
            }
        }
        sockets.erase(sockets.begin() + 1, sockets.end() - 3);
        for (int i = 0; i < 1000 && time.happen_next(deadline::max()); ++i) time.note(1);
        sockets.clear();
        while (time.happen_next(deadline::max())) time.note(2);
        return time.trace();
    };
    CHECK(run(7) == run(7));
    CHECK(run(7) != run(8));
}

TEST_CASE("ten thousand sockets, each with a datagram", "[testing][network]") {
    host h;
    const file server = h.bound_udp("0.0.0.0", 9000);
    CHECK(set(server, SOL_SOCKET, SO_RCVBUF, 10'000'000) == 0);
    std::vector<file> clients;
    for (int i = 0; i < 10'000; ++i) {
        clients.push_back(h.udp());
        if (send_to(clients.back(), "hello", "127.0.0.1", 9000) != 5) FAIL("not sent");
    }
    h.settle();
    int count = 0;
    while (receive(server).result == 5) ++count;
    CHECK(count == 10'000);
}
