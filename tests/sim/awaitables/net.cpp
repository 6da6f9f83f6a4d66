// SPDX-License-Identifier: MIT
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/acceptor.hpp>
#include <ringlet/io/message_receiver.hpp>
#include <ringlet/io/receiver.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/multishot_stream.hpp>
#include <ringlet/net/multishot_udp_socket.hpp>
#include <ringlet/net/resolver.hpp>
#include <ringlet/net/send_file.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/stream_reader.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/net/unix_listener.hpp>
#include <ringlet/net/unix_stream.hpp>
#include <ringlet/os/offload.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace ringlet_tests {
namespace {

// --- io ---

task<> udp_send_later(net::udp_socket& from, std::string text);

task<> connect_after(std::chrono::milliseconds delay, net::endpoint peer) {
    co_await ringlet::sleep(delay);
    net::tcp_stream stream = co_await net::tcp_stream::connect(peer);
    co_await ringlet::sleep(1ms);
}

io::owned_fd take_socket(net::tcp_stream stream) { return std::move(stream).release(); }

task<> acceptor_accepts(testing::simulation&) {
    net::endpoint bound;
    io::acceptor acceptor{listening_socket(bound)};
    const auto late = co_await ringlet::when_all(acceptor.accept(), connect_after(2ms, bound));
    expect(static_cast<bool>(std::get<0>(late)), "no descriptor was accepted");
    co_await connect_after(0ms, bound);
    co_await connect_after(0ms, bound);
    // Those that there was no memory to keep are closed.
    for (int i = 0; i < 2; ++i) {
        const io::owned_fd kept = co_await ringlet::with_timeout(1s, acceptor.accept());
        expect(static_cast<bool>(kept), "no descriptor was accepted");
    }
    co_await times_out(acceptor.accept());
    co_await connect_after(0ms, bound);  // one that nobody takes
}

io::receiver make_receiver(net::tcp_stream stream) { return io::receiver{take_socket(std::move(stream))}; }
task<std::string> receiver_next(io::receiver& from) {
    const io::buffer_lease lease = co_await from.next();
    co_return std::string{as_text(lease.bytes())};
}
task<> receiver_receives(testing::simulation&) { return receives(&make_receiver, &receiver_next); }

// A wait for messages: for one that is there, one that comes later, an empty one, none, and one that is kept meanwhile.
template <class Receive>
task<> receives_messages(Receive& from, const net::endpoint& to, task<std::string> (*receive)(Receive&)) {
    auto peer = net::udp_socket::connect(to);
    for (const std::string_view text : {"early", "", "kept"}) co_await peer.send(as_bytes(text));
    co_await ringlet::sleep(2ms);
    const std::string early = co_await receive(from);
    expect(early == "early", "another message");
    const std::string empty = co_await receive(from);
    expect(empty.empty(), "an empty message was not empty");
    const std::string kept = co_await receive(from);
    expect(kept == "kept", "another message");
    const auto late = co_await ringlet::when_all(receive(from), udp_send_later(peer, "late"));
    expect(std::get<0>(late) == "late", "another message");
    co_await times_out(receive(from));
    co_await peer.send(as_bytes("after"));
    const std::string after = co_await receive(from);
    expect(after == "after", "what came after a time limit was not received");
}

task<std::string> message_next(io::message_receiver& from) {
    const io::message_lease lease = co_await from.next();
    expect(lease.name().size() == sizeof(sockaddr_in), "a message without its sender");
    co_return std::string{as_text(lease.bytes())};
}
task<std::string> message_next_as(io::message_receiver& from) {
    const net::datagram_lease lease = co_await from.next_as<net::datagram_lease>();
    co_return std::string{as_text(lease.bytes())};
}
task<> message_receiver_receives(testing::simulation&) {
    auto socket = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    const net::endpoint to = socket.local_endpoint();
    io::message_receiver in{std::move(socket).release()};
    co_await receives_messages(in, to, &message_next);
    co_await receives_messages(in, to, &message_next_as);
}

int doubled(int number) { return 2 * number; }
void fails() { throw std::system_error{std::make_error_code(std::errc::io_error), "planned"}; }

task<> offloads(testing::simulation&) {
    const int value = co_await ringlet::offload(&doubled, 21);
    expect(value == 42, "a call on a thread gave another value");
    const auto failure = co_await ringlet::as_result(ringlet::offload(&fails));
    expect_error(failure, std::errc::io_error, "a call's failure was lost");
    const auto many = co_await ringlet::when_all(ringlet::offload(&doubled, 1), ringlet::os::offload(&doubled, 2));
    expect(std::get<0>(many) == 2 && std::get<1>(many) == 4, "a call on a thread gave another value");
}

constexpr awaitable_row rows_of_io[] = {
    {"io::acceptor::accept()", &acceptor_accepts},
    {"io::receiver::next()", &receiver_receives},
    {"io::message_receiver::next()", &message_receiver_receives},
    {"io::message_receiver::next_as()", &message_receiver_receives},
    {"io::offload(F&&, Args&&...)", &offloads},
    {"os::offload(F&&, Args&&...)", &offloads},
    {"offload(F&&, Args&&...)", &offloads},
};

// --- drain ---

task<> begin_later(net::drain& what) {
    co_await ringlet::sleep(2ms);
    what.begin();
}

task<> waits_for_drain(testing::simulation&) {
    net::drain drain;
    co_await times_out(drain.wait_begun());
    co_await ringlet::when_all(drain.wait_begun(), begin_later(drain));
    expect(drain.begun(), "a wait for a drain ended before it began");
    co_await drain.wait_begun();
}

task<int> number_after(std::chrono::milliseconds delay, int number) {
    co_await ringlet::sleep(delay);
    co_return number;
}

task<> drains(testing::simulation&) {
    net::drain drain;
    const auto before = co_await drain.unless_begun(number_after(1ms, 5));
    expect(before == 5, "unless_begun gave another value");
    const auto both = co_await ringlet::when_all(drain.unless_begun(number_after(1s, 5)), begin_later(drain));
    expect(!std::get<0>(both), "unless_begun went on after the drain began");
    const bool after = co_await drain.unless_begun(ringlet::sleep(1s));
    expect(!after, "unless_begun went on after the drain began");
}

// --- multishot_stream ---

net::multishot_stream make_multishot(net::tcp_stream stream) { return net::multishot_stream{std::move(stream)}; }
task<std::string> multishot_recv(net::multishot_stream& from) {
    const io::buffer_lease lease = co_await from.recv_lease();
    co_return std::string{as_text(lease.bytes())};
}
task<std::size_t> multishot_send(net::multishot_stream& to, std::string text) {
    co_await to.send_all(as_bytes(text));
    co_return text.size();
}
task<std::size_t> multishot_send_parts(net::multishot_stream& to, std::string text) {
    std::array<iovec, 2> parts = halves(text);
    co_await to.send_all(parts);
    co_return text.size();
}
task<> multishot_receives(testing::simulation&) { return receives(&make_multishot, &multishot_recv); }
task<> multishot_sends(testing::simulation&) { return sends(&make_multishot, &multishot_send); }
task<> multishot_sends_parts(testing::simulation&) { return sends(&make_multishot, &multishot_send_parts); }

template <class Near>
task<> half_closes(Near (*make)(net::tcp_stream), task<std::string> (*receive)(Near&),
                   task<connection> (*connect)() = &connected) {
    connection both = co_await connect();
    Near near = make(std::move(both.near));
    co_await near.shutdown_send();
    const std::string end = co_await receive_exactly(both.far, 1);
    expect(end.empty(), "something came after the end");
    co_await send_text(both.far, "the other way");
    const std::string text = co_await receive(near);
    expect(text == "the other way", "shutting down one direction shut the other");
}
task<> multishot_half_closes(testing::simulation&) { return half_closes(&make_multishot, &multishot_recv); }

// --- names ---

task<> resolves(testing::simulation&) {
    const std::vector<net::endpoint> four = co_await net::resolve("127.0.0.1", 80);
    expect(four.size() == 1 && four[0] == net::endpoint::loopback_v4(80), "a numeric address is another one");
    const std::vector<net::endpoint> six = co_await net::resolve("::1", 80);
    expect(six.size() == 1 && six[0] == net::endpoint::loopback_v6(80), "a numeric address is another one");
    const auto none = co_await ringlet::as_result(net::resolve("1.2.3.4.5", 80));
    expect(!none, "what is no address has one");
}

// --- serve ---

task<> echo(net::tcp_stream stream) {
    std::array<std::byte, 64> block{};
    for (;;) {
        const std::size_t n = co_await stream.recv(block);
        if (n == 0) co_return;
        co_await stream.send_all(std::span{block}.first(n));
    }
}

task<> echo_and_count(net::tcp_stream stream, int& count) {
    ++count;
    co_await echo(std::move(stream));
}

// By default serve says on standard error what failed.
task<> echo_quietly(net::tcp_stream stream) {
    try {
        co_await echo(std::move(stream));
    } catch (const std::exception&) {
    }
}

task<> talk(net::endpoint peer, std::string text) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(peer);
    co_await send_text(stream, text);
    const std::string back = co_await receive_exactly(stream, text.size());
    // What a server without memory does is cut a connection.
    if (back.size() < text.size()) throw std::system_error{net::errc::unexpected_end, "an echo was cut"};
    expect(back == text, "other bytes came back");
}

task<> talk_then_begin(net::endpoint peer, net::drain& what) {
    co_await ringlet::when_all(talk(peer, "one"), talk(peer, "another"));
    what.begin();
}

task<> serves(testing::simulation&) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    net::drain drain;
    net::serve_options options{drain};
    options.connections_max = 1;
    options.on_failure = [](const net::endpoint&, const std::exception_ptr&) {};
    int count = 0;
    co_await ringlet::when_all(net::serve(listener, std::move(options), echo_and_count, std::ref(count)),
                               talk_then_begin(listener.local_endpoint(), drain));
    expect(count == 2, "not every connection was served");
}

task<> serves_until_cancelled(testing::simulation&) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    const std::size_t first =
        co_await ringlet::first_of(net::serve(listener, echo_quietly), talk(listener.local_endpoint(), "one"));
    expect(first == 1, "serve ended by itself");
}

// --- stream_reader ---

// The stream lies on the heap because the reader refers to it.
struct read_end {
    explicit read_end(net::tcp_stream from)
        : stream{std::make_unique<net::tcp_stream>(std::move(from))}, reader{*stream} {}
    std::unique_ptr<net::tcp_stream> stream;
    net::stream_reader reader;
};
read_end make_reader(net::tcp_stream stream) { return read_end{std::move(stream)}; }

task<> send_slowly(net::tcp_stream& to, std::string text) {
    const std::size_t half = text.size() / 2;
    co_await send_text_later(to, text.substr(0, half));
    co_await send_text_later(to, text.substr(half));
}

task<> reads_lines(testing::simulation&) {
    connection both = co_await connected();
    net::stream_reader reader{both.near};
    co_await send_text(both.far, "one\r\ntwo\nbeg");
    const auto one = co_await reader.line();
    const auto two = co_await reader.line();
    expect(one == "one" && two == "two", "other lines");
    co_await times_out(reader.line());
    const auto late = co_await ringlet::when_all(reader.line(), send_slowly(both.far, "un\nlast"));
    expect(std::get<0>(late) == "begun", "a line that came in pieces is another one");
    const auto too_long = co_await ringlet::as_result(reader.line(2));
    expect_error(too_long, net::errc::too_long, "a line was longer than its limit");
    both.far.close();
    const auto last = co_await reader.line();
    const auto end = co_await reader.line();
    expect(last == "last" && !end, "the last line is another one");
}

task<> reads_until(testing::simulation&) {
    connection both = co_await connected();
    net::stream_reader reader{both.near};
    const auto head = co_await ringlet::when_all(reader.until("\r\n\r\n"), send_slowly(both.far, "a\r\nb\r\n\r\nrest"));
    expect(std::get<0>(head) == "a\r\nb", "other bytes before the delimiter");
    co_await times_out(reader.until("\r\n\r\n"));
    both.far.close();
    const auto cut = co_await ringlet::as_result(reader.until("\r\n\r\n"));
    expect_error(cut, net::errc::unexpected_end, "a message without an end was whole");
}

task<> reads_exactly(testing::simulation&) {
    connection both = co_await connected();
    net::stream_reader reader{both.near};
    std::array<std::byte, 6> six{};
    const auto whole = co_await ringlet::when_all(reader.exact(six), send_slowly(both.far, "123456789"));
    expect(std::get<0>(whole) && as_text(six) == "123456", "other bytes");
    co_await times_out(reader.exact(six));
    both.far.close();
    const auto cut = co_await ringlet::as_result(reader.exact(six));
    expect_error(cut, net::errc::unexpected_end, "a message without an end was whole");
}

task<std::string> read_some_once(read_end& from) {
    std::array<std::byte, 64> block{};
    const std::size_t n = co_await from.reader.read_some(block);
    co_return std::string{as_text(std::span{block}.first(n))};
}
task<> reads_some(testing::simulation&) { return receives(&make_reader, &read_some_once); }

task<> wants(testing::simulation&) {
    connection both = co_await connected();
    net::stream_reader reader{both.near};
    const auto enough = co_await ringlet::when_all(reader.want(6), send_slowly(both.far, "123456"));
    expect(std::get<0>(enough) && reader.peek().size() >= 6, "fewer bytes than wanted");
    co_await times_out(reader.want(7));
    both.far.close();
    const bool more = co_await reader.want(7);
    expect(!more, "more bytes than were sent");
    reader.consume(6);
}

task<std::string> reader_receive_once(read_end& from) {
    const bool more = co_await from.reader.receive();
    std::string text{as_text(from.reader.peek())};
    from.reader.consume(text.size());
    expect(more != text.empty(), "receive and peek disagree");
    co_return text;
}
task<> reader_receives(testing::simulation&) { return receives(&make_reader, &reader_receive_once); }

// --- tcp ---

task<> listener_accepts(testing::simulation&) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    const net::endpoint bound = listener.local_endpoint();
    const auto late = co_await ringlet::when_all(listener.accept(), connect_after(2ms, bound));
    expect(std::get<0>(late).socket().get() >= 0, "no connection was accepted");
    co_await connect_after(0ms, bound);
    {
        net::tcp_stream kept = co_await ringlet::with_timeout(1s, listener.accept());
        const std::string end = co_await receive_exactly(kept, 1);
        expect(end.empty(), "something came after the end");
    }
    co_await times_out(listener.accept());
}

task<> accept_one(net::tcp_listener& listener) {
    net::tcp_stream stream = co_await listener.accept();
    co_await send_text(stream, "hello");
}

task<> hear_hello(task<net::tcp_stream> connecting) {
    net::tcp_stream stream = co_await std::move(connecting);
    const std::string hello = co_await receive_exactly(stream, 5);
    expect(hello == "hello", "connected to somebody else");
}

task<> connects(testing::simulation&) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    const net::endpoint bound = listener.local_endpoint();
    co_await ringlet::when_all(accept_one(listener), hear_hello(net::tcp_stream::connect(bound)));
    listener.close();
    const auto refused = co_await ringlet::as_result(net::tcp_stream::connect(bound));
    expect(!refused, "nobody listens, and yet connect succeeded");
}

task<> connects_by_name(testing::simulation&) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    const std::uint16_t port = listener.local_endpoint().port();
    co_await ringlet::when_all(accept_one(listener), hear_hello(net::tcp_stream::connect("127.0.0.1", port)));
    listener.close();
    const auto refused = co_await ringlet::as_result(net::tcp_stream::connect("127.0.0.1", port));
    expect(!refused, "nobody listens, and yet connect succeeded");
}

task<> connects_to_one_of(testing::simulation&) {
    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    const std::vector<net::endpoint> found{listener.local_endpoint()};
    co_await ringlet::when_all(accept_one(listener), hear_hello(net::tcp_stream::connect(found, "some.test")));
    listener.close();
    const auto refused = co_await ringlet::as_result(net::tcp_stream::connect(found, "some.test"));
    expect(!refused, "nobody listens, and yet connect succeeded");
}

task<std::string> tcp_recv(net::tcp_stream& from) {
    std::array<std::byte, 64> block{};
    const std::size_t n = co_await from.recv(block);
    co_return std::string{as_text(std::span{block}.first(n))};
}
task<std::string> tcp_recv_lease(net::tcp_stream& from) {
    const io::buffer_lease lease = co_await from.recv_lease();
    co_return std::string{as_text(lease.bytes())};
}
task<std::size_t> tcp_send(net::tcp_stream& to, std::string text) { co_return co_await to.send(as_bytes(text)); }
task<std::size_t> tcp_send_all(net::tcp_stream& to, std::string text) {
    co_await to.send_all(as_bytes(text));
    co_return text.size();
}
task<std::size_t> tcp_send_parts(net::tcp_stream& to, std::string text) {
    std::array<iovec, 2> parts = halves(text);
    co_await to.send_all(parts);
    co_return text.size();
}
task<> tcp_receives(testing::simulation&) { return receives(&as_it_is, &tcp_recv); }
task<> tcp_receives_leases(testing::simulation&) { return receives(&as_it_is, &tcp_recv_lease); }
task<> tcp_sends(testing::simulation&) { return sends(&as_it_is, &tcp_send); }
task<> tcp_sends_all(testing::simulation&) { return sends(&as_it_is, &tcp_send_all); }
task<> tcp_sends_parts(testing::simulation&) { return sends(&as_it_is, &tcp_send_parts); }
task<> tcp_half_closes(testing::simulation&) { return half_closes(&as_it_is, &tcp_recv); }

// --- udp ---

task<std::string> recv_from_once(net::udp_socket& socket) {
    std::array<std::byte, 8> block{};
    const net::datagram got = co_await socket.recv_from(block);
    expect(got.from.is_loopback(), "a datagram without its sender");
    co_return std::string{as_text(std::span{block}.first(got.size))};
}

task<> send_to_later(net::udp_socket& from, std::string text, net::endpoint to) {
    co_await ringlet::sleep(2ms);
    const std::size_t n = co_await from.send_to(as_bytes(text), to);
    expect(n == text.size(), "a part of a datagram was sent");
}

task<> exchanges_datagrams(testing::simulation&) {
    auto one = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    auto other = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    const net::endpoint to = one.local_endpoint();
    co_await send_to_later(other, "early", to);
    const std::string early = co_await recv_from_once(one);
    expect(early == "early", "another datagram");
    const auto late = co_await ringlet::when_all(recv_from_once(one), send_to_later(other, "late", to));
    expect(std::get<0>(late) == "late", "another datagram");
    co_await times_out(recv_from_once(one));
    const std::string too_much(100'000, 'x');
    const auto refused = co_await ringlet::as_result(other.send_to(as_bytes(too_much), to));
    expect(!refused, "a datagram that is too long was sent");
}

task<std::string> udp_recv_once(net::udp_socket& socket) {
    std::array<std::byte, 8> block{};
    const std::size_t n = co_await socket.recv(block);
    co_return std::string{as_text(std::span{block}.first(n))};
}

task<> udp_send_later(net::udp_socket& from, std::string text) {
    co_await ringlet::sleep(2ms);
    const std::size_t n = co_await from.send(as_bytes(text));
    expect(n == text.size(), "a part of a datagram was sent");
}

task<> exchanges_with_one_peer(testing::simulation&) {
    auto one = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    auto other = net::udp_socket::connect(one.local_endpoint());
    co_await udp_send_later(other, "early");
    const std::string early = co_await udp_recv_once(one);
    expect(early == "early", "another datagram");
    const auto late = co_await ringlet::when_all(udp_recv_once(one), udp_send_later(other, "late"));
    expect(std::get<0>(late) == "late", "another datagram");
    co_await times_out(udp_recv_once(other));
    // Somebody answers whom the other one has not connected to: not seen.
    auto third = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    co_await send_to_later(third, "spam", other.local_endpoint());
    co_await times_out(udp_recv_once(other));
}

// --- multishot_udp_socket ---

task<std::string> udp_recv_lease(net::multishot_udp_socket& from) {
    const net::datagram_lease lease = co_await from.recv_lease();
    expect(lease.from().is_loopback(), "a datagram without its sender");
    expect(lease.to() && lease.to()->is_loopback(), "a datagram without the address that was asked");
    co_return std::string{as_text(lease.bytes())};
}
task<> multishot_receives_datagrams(testing::simulation&) {
    net::multishot_udp_socket in{net::udp_socket::bind(net::endpoint::any_v4(0))};
    in.ask_for_destinations();
    const auto to = net::endpoint::loopback_v4(in.local_endpoint().port());
    co_await receives_messages(in, to, &udp_recv_lease);
    // What comes in one turn is taken in one.
    auto peer = net::udp_socket::connect(to);
    for (int i = 0; i < 3; ++i) co_await peer.send(as_bytes("x"));
    for (int got = 0; got < 3;) {
        const std::string text = co_await udp_recv_lease(in);
        expect(text == "x", "another datagram");
        ++got;
        while (const auto more = in.try_recv_lease()) ++got;
    }
}

task<> multishot_sends_datagrams(testing::simulation&) {
    net::multishot_udp_socket one{net::udp_socket::bind(net::endpoint::loopback_v4(0))};
    auto other = net::udp_socket::bind(net::endpoint::loopback_v4(0));
    const std::size_t n = co_await one.send_to(as_bytes("there"), other.local_endpoint());
    expect(n == 5, "a part of a datagram was sent");
    const std::string there = co_await recv_from_once(other);
    expect(there == "there", "another datagram");
    const std::string too_much(100'000, 'x');
    const auto refused = co_await ringlet::as_result(one.send_to(as_bytes(too_much), other.local_endpoint()));
    expect(!refused, "a datagram that is too long was sent");
}

// --- Unix sockets ---

task<> connect_locally_after(std::chrono::milliseconds delay, net::unix_address peer) {
    co_await ringlet::sleep(delay);
    const net::unix_stream stream = co_await net::unix_stream::connect(peer);
    co_await ringlet::sleep(1ms);
}

task<std::string> unix_recv(net::unix_stream& from) {
    std::array<std::byte, 64> block{};
    const std::size_t n = co_await from.recv(block);
    co_return std::string{as_text(std::span{block}.first(n))};
}

task<> unix_accepts(testing::simulation&) {
    auto listener = net::unix_listener::bind("@here");
    const auto late = co_await ringlet::when_all(listener.accept(), connect_locally_after(2ms, "@here"));
    expect(std::get<0>(late).socket().get() >= 0, "no connection was accepted");
    co_await connect_locally_after(0ms, "@here");
    {
        net::unix_stream kept = co_await ringlet::with_timeout(1s, listener.accept());
        const std::string end = co_await unix_recv(kept);
        expect(end.empty(), "something came after the end");
    }
    co_await times_out(listener.accept());
    co_await connect_locally_after(0ms, "@here");  // one that nobody takes
}

task<> unix_hello(net::unix_listener& listener) {
    net::unix_stream stream = co_await listener.accept();
    co_await stream.send_all(as_bytes("hello"));
}

task<> hear_unix_hello(net::unix_address peer) {
    net::unix_stream stream = co_await net::unix_stream::connect(peer);
    const std::string hello = co_await unix_recv(stream);
    expect(hello == "hello", "connected to somebody else");
}

task<> accept_late(net::unix_listener& listener, std::size_t count) {
    co_await ringlet::sleep(20ms);
    for (; count > 0; --count) const net::unix_stream stream = co_await listener.accept();
}

task<> unix_connects(testing::simulation&) {
    net::unix_listen_options options;
    options.backlog = 0;
    auto listener = net::unix_listener::bind("@here", options);
    co_await ringlet::when_all(unix_hello(listener), hear_unix_hello("@here"));
    // One that has room in the backlog, and one that has to wait for it.
    auto full = net::unix_listener::bind("@full", options);
    co_await ringlet::when_all(accept_late(full, 2), connect_locally_after(0ms, "@full"),
                               connect_locally_after(1ms, "@full"));
    listener.close();
    const auto refused = co_await ringlet::as_result(net::unix_stream::connect("@here"));
    expect(!refused, "nobody listens, and yet connect succeeded");
}

net::unix_stream as_unix(net::tcp_stream stream) { return net::unix_stream{take_socket(std::move(stream))}; }
task<std::string> unix_recv_lease(net::unix_stream& from) {
    const io::buffer_lease lease = co_await from.recv_lease();
    co_return std::string{as_text(lease.bytes())};
}
task<std::size_t> unix_send(net::unix_stream& to, std::string text) { co_return co_await to.send(as_bytes(text)); }
task<std::size_t> unix_send_all(net::unix_stream& to, std::string text) {
    co_await to.send_all(as_bytes(text));
    co_return text.size();
}
task<std::size_t> unix_send_parts(net::unix_stream& to, std::string text) {
    std::array<iovec, 2> parts = halves(text);
    co_await to.send_all(parts);
    co_return text.size();
}
task<> unix_receives(testing::simulation&) { return receives(&as_unix, &unix_recv, &connected_locally); }
task<> unix_receives_leases(testing::simulation&) { return receives(&as_unix, &unix_recv_lease, &connected_locally); }
task<> unix_sends(testing::simulation&) { return sends(&as_unix, &unix_send, &connected_locally); }
task<> unix_sends_all(testing::simulation&) { return sends(&as_unix, &unix_send_all, &connected_locally); }
task<> unix_sends_parts(testing::simulation&) { return sends(&as_unix, &unix_send_parts, &connected_locally); }
task<> unix_half_closes(testing::simulation&) { return half_closes(&as_unix, &unix_recv, &connected_locally); }

constexpr std::uint64_t file_bytes = 20'000;

task<std::uint64_t> send_all_of_it(net::tcp_stream to, io::fd_ref file, bool from_memory) {
    net::send_progress progress{to.socket(), 5s};
    std::uint64_t sent = 0;
    if (from_memory)
        co_await net::send_file_from_memory(progress, file, 0, file_bytes, sent);  // not all of it is in memory
    else
        co_await net::send_file(progress, file, 0, file_bytes, sent);
    if (!from_memory && sent != file_bytes) throw std::logic_error{"not all was sent"};
    co_return sent;
}

task<> sends_a_file(testing::simulation& world, bool from_memory) {
    world.write_file("/large", std::string(file_bytes, 'x'));
    auto file = co_await ringlet::fs::open("/large");
    connection both = co_await connected();
    const auto done = co_await ringlet::when_all(send_all_of_it(std::move(both.near), file.descriptor(), from_memory),
                                                 receive_all_later(both.far));
    if (std::get<0>(done) != std::get<1>(done)) throw std::logic_error{"what was sent has not come"};
}
task<> sends_files(testing::simulation& world) { return sends_a_file(world, false); }
task<> sends_files_from_memory(testing::simulation& world) { return sends_a_file(world, true); }

constexpr awaitable_row rows_of_net[] = {
    {"net::drain::wait_begun()", &waits_for_drain},
    {"net::drain::unless_begun(A)", &drains},
    {"net::multishot_stream::recv_lease()", &multishot_receives},
    {"net::multishot_stream::send_all(std::span<const std::byte>)", &multishot_sends},
    {"net::multishot_stream::send_all(std::span<iovec>)", &multishot_sends_parts},
    {"net::multishot_stream::shutdown_send()", &multishot_half_closes},
    {"net::multishot_udp_socket::recv_lease()", &multishot_receives_datagrams},
    {"net::multishot_udp_socket::send_to(std::span<const std::byte>, const endpoint&)", &multishot_sends_datagrams},
    {"net::resolve(std::string, std::uint16_t, resolve_options)", &resolves},
    {"net::send_file(send_progress&, io::fd_ref, std::uint64_t, std::uint64_t, std::uint64_t&)", &sends_files},
    {"net::send_file_from_memory(send_progress&, io::fd_ref, std::uint64_t, std::uint64_t, std::uint64_t&, "
     "seen_pages*)",
     &sends_files_from_memory},
    {"net::serve(Listener&, serve_options, Handler&&, Args&&...)", &serves},
    {"net::serve(Listener&, Handler&&, Args&&...)", &serves_until_cancelled},
    {"net::stream_reader::line(std::size_t)", &reads_lines},
    {"net::stream_reader::until(std::string_view, std::size_t)", &reads_until},
    {"net::stream_reader::exact(std::span<std::byte>)", &reads_exactly},
    {"net::stream_reader::read_some(std::span<std::byte>)", &reads_some},
    {"net::stream_reader::want(std::size_t)", &wants},
    {"net::stream_reader::receive()", &reader_receives},
    {"net::tcp_listener::accept()", &listener_accepts},
    {"net::tcp_stream::connect(endpoint)", &connects},
    {"net::tcp_stream::connect(std::string, std::uint16_t)", &connects_by_name},
    {"net::tcp_stream::connect(std::vector<endpoint>, std::string)", &connects_to_one_of},
    {"net::tcp_stream::recv(std::span<std::byte>)", &tcp_receives},
    {"net::tcp_stream::recv_lease()", &tcp_receives_leases},
    {"net::tcp_stream::send(std::span<const std::byte>)", &tcp_sends},
    {"net::tcp_stream::send_all(std::span<const std::byte>)", &tcp_sends_all},
    {"net::tcp_stream::send_all(std::span<iovec>)", &tcp_sends_parts},
    {"net::tcp_stream::shutdown_send()", &tcp_half_closes},
    {"net::udp_socket::recv_from(std::span<std::byte>)", &exchanges_datagrams},
    {"net::udp_socket::send_to(std::span<const std::byte>, const endpoint&)", &exchanges_datagrams},
    {"net::udp_socket::recv(std::span<std::byte>)", &exchanges_with_one_peer},
    {"net::udp_socket::send(std::span<const std::byte>)", &exchanges_with_one_peer},
    {"net::unix_listener::accept()", &unix_accepts},
    {"net::unix_stream::connect(unix_address)", &unix_connects},
    {"net::unix_stream::recv(std::span<std::byte>)", &unix_receives},
    {"net::unix_stream::recv_lease()", &unix_receives_leases},
    {"net::unix_stream::send(std::span<const std::byte>)", &unix_sends},
    {"net::unix_stream::send_all(std::span<const std::byte>)", &unix_sends_all},
    {"net::unix_stream::send_all(std::span<iovec>)", &unix_sends_parts},
    {"net::unix_stream::shutdown_send()", &unix_half_closes},
};

}  // namespace

std::span<const awaitable_row> io_rows() noexcept { return rows_of_io; }
std::span<const awaitable_row> net_rows() noexcept { return rows_of_net; }

}  // namespace ringlet_tests
