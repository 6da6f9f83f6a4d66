// SPDX-License-Identifier: MIT
// The requests of io/op: on sockets, pipes and files.
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/io/op/accept.hpp>
#include <ringlet/io/op/close.hpp>
#include <ringlet/io/op/connect.hpp>
#include <ringlet/io/op/fallocate.hpp>
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/nop.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/read_full.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/renameat.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/send_all.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/op/sendmsg_all.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/op/statx.hpp>
#include <ringlet/io/op/unlinkat.hpp>
#include <ringlet/io/op/write.hpp>
#include <ringlet/io/op/write_all.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/tcp_listener.hpp>

#include <array>
#include <cerrno>
#include <linux/openat2.h>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace ringlet_tests {
namespace {

const io::fd_ref here{AT_FDCWD};

io::owned_fd open_file(const char* path, int flags) {
    return checked_fd(io::sys::open(path, flags | O_CLOEXEC, 0666), path);
}

// --- sockets ---

task<> connect_to(net::endpoint peer, std::chrono::milliseconds delay) {
    co_await ringlet::sleep(delay);
    const io::owned_fd fd = checked_fd(io::sys::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    co_await io::connect_op{fd, peer.address(), peer.length()};
}

task<> accepts(testing::simulation&) {
    net::endpoint bound;
    const io::owned_fd listener = listening_socket(bound);
    co_await connect_to(bound, 0ms);  // the kernel takes it before anybody accepts
    {
        const io::owned_fd early = co_await io::accept_op{listener};
        expect(static_cast<bool>(early), "no descriptor was accepted");
    }
    const auto late = co_await ringlet::when_all(io::accept_op{listener}, connect_to(bound, 2ms));
    expect(static_cast<bool>(std::get<0>(late)), "no descriptor was accepted");
    co_await times_out(io::accept_op{listener});
}

task<> connects(testing::simulation&) {
    net::endpoint bound;
    {
        const io::owned_fd listener = listening_socket(bound);
        co_await connect_to(bound, 0ms);
    }
    const auto refused = co_await ringlet::as_result(connect_to(bound, 0ms));
    expect(!refused, "nobody listens, and yet connect succeeded");
}

task<std::string> recv_once(net::tcp_stream& from) {
    std::array<std::byte, 64> block{};
    const std::size_t n = co_await io::recv_op{from.socket(), block};
    co_return std::string{as_text(std::span{block}.first(n))};
}
task<> receives_plain(testing::simulation&) { return receives(&as_it_is, &recv_once); }

task<std::string> recv_provided_once(net::tcp_stream& from) {
    bool more = true;
    const io::buffer_lease lease = co_await io::recv_provided_op{from.socket(), more};
    co_return std::string{as_text(lease.bytes())};
}
task<> receives_provided(testing::simulation&) { return receives(&as_it_is, &recv_provided_once); }

task<std::string> recvmsg_once(net::tcp_stream& from) {
    std::array<std::byte, 64> block{};
    std::array<iovec, 2> parts{iovec{block.data(), 2}, iovec{block.data() + 2, block.size() - 2}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const std::size_t n = co_await io::recvmsg_op{from.socket(), message};
    co_return std::string{as_text(std::span{block}.first(n))};
}
task<> receives_message(testing::simulation&) { return receives(&as_it_is, &recvmsg_once); }

task<std::size_t> send_once(net::tcp_stream& to, std::string text) {
    co_return co_await io::send_op{to.socket(), as_bytes(text)};
}
task<> sends_plain(testing::simulation&) { return sends(&as_it_is, &send_once); }

task<std::size_t> send_whole(net::tcp_stream& to, std::string text) {
    co_await io::send_all_op{to.socket(), as_bytes(text)};
    co_return text.size();
}
task<> sends_whole(testing::simulation&) { return sends(&as_it_is, &send_whole); }

task<std::size_t> sendmsg_once(net::tcp_stream& to, std::string text) {
    std::array<iovec, 2> parts = halves(text);
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    co_return co_await io::sendmsg_op{to.socket(), message};
}
task<> sends_message(testing::simulation&) { return sends(&as_it_is, &sendmsg_once); }

task<std::size_t> sendmsg_whole(net::tcp_stream& to, std::string text) {
    std::array<iovec, 2> parts = halves(text);
    co_await io::sendmsg_all_op{to.socket(), parts};
    co_return text.size();
}
task<> sends_parts_whole(testing::simulation&) { return sends(&as_it_is, &sendmsg_whole); }

task<> shuts_down(testing::simulation&) {
    connection both = co_await connected();
    co_await io::shutdown_op{both.near.socket(), SHUT_WR};
    const std::string end = co_await recv_once(both.far);
    expect(end.empty(), "something came after the end");
    co_await send_text(both.far, "the other way");
    const std::string text = co_await recv_once(both.near);
    expect(text == "the other way", "shutting down one direction shut the other");
    const auto again = co_await ringlet::as_result(io::send_all_op{both.near.socket(), as_bytes("too late")});
    expect(!again, "something was sent after the end");
}

// --- pipes ---

task<> polls(testing::simulation&) {
    pipe_ends pipe = make_pipe();
    co_await times_out(io::poll_op{pipe.reading, POLLIN});
    co_await ringlet::when_all(io::poll_op{pipe.reading, POLLIN}, write_later(pipe.writing, "late"));
    const unsigned there = co_await io::poll_op{pipe.reading, POLLIN};
    expect((there & POLLIN) != 0, "poll does not see what is there");
    pipe.writing.reset();
    const unsigned closed = co_await io::poll_op{pipe.reading, POLLIN};
    expect((closed & POLLHUP) != 0, "poll does not see that the other end was closed");
}

task<std::string> read_once(io::fd_ref from) {
    std::array<std::byte, 64> block{};
    const std::size_t n = co_await io::read_op{from, block};
    co_return std::string{as_text(std::span{block}.first(n))};
}

task<> reads(testing::simulation& world) {
    pipe_ends pipe = make_pipe();
    co_await write_later(pipe.writing, "early");
    const std::string early = co_await read_once(pipe.reading);
    expect(early == "early", "what was there was not read");
    const auto late = co_await ringlet::when_all(read_once(pipe.reading), write_later(pipe.writing, "late"));
    expect(std::get<0>(late) == "late", "what came later was not read");
    co_await times_out(read_once(pipe.reading));
    pipe.writing.reset();
    const std::string end = co_await read_once(pipe.reading);
    expect(end.empty(), "something came after the end");
    world.write_file("/file", "content");
    const io::owned_fd file = open_file("/file", O_RDONLY);
    const std::string content = co_await read_once(file);
    expect(content == "content", "a file has other bytes");
}

task<std::size_t> read_full_once(io::fd_ref from, std::size_t bytes) {
    std::vector<std::byte> block(bytes);
    co_return co_await io::read_full_op{from, block};
}

task<> write_twice_later(pipe_ends& pipe) {
    co_await write_later(pipe.writing, "12345");
    co_await write_later(pipe.writing, "67890");
    pipe.writing.reset();
}

task<> reads_fully(testing::simulation& world) {
    pipe_ends pipe = make_pipe();
    const auto got = co_await ringlet::when_all(read_full_once(pipe.reading, 8), write_twice_later(pipe));
    expect(std::get<0>(got) == 8, "fewer bytes than asked for");
    const std::size_t rest = co_await read_full_once(pipe.reading, 8);
    expect(rest == 2, "not what was left");
    world.write_file("/file", "content");
    const io::owned_fd file = open_file("/file", O_RDONLY);
    const std::size_t whole = co_await read_full_once(file, 100);
    expect(whole == 7, "not the whole file");
    const pipe_ends silent = make_pipe();
    co_await times_out(read_full_once(silent.reading, 8));
}

constexpr std::size_t pipe_bytes = 65536;

task<std::size_t> read_all_later(io::fd_ref from) {
    co_await ringlet::sleep(2ms);
    std::vector<std::byte> block(pipe_bytes);
    for (std::size_t all = 0;;) {
        const std::size_t n = co_await io::read_op{from, block};
        if (n == 0) co_return all;
        all += n;
    }
}

task<> writes(testing::simulation& world) {
    pipe_ends pipe = make_pipe();
    const std::string filling(pipe_bytes, 'x');
    const std::size_t first = co_await io::write_op{pipe.writing, as_bytes(filling)};
    expect(first == pipe_bytes, "a pipe did not take what it has room for");
    co_await times_out(io::write_op{pipe.writing, as_bytes("more")});
    auto write_and_close = [](pipe_ends& to) -> task<std::size_t> {
        const std::size_t n = co_await io::write_op{to.writing, as_bytes("more")};
        to.writing.reset();
        co_return n;
    };
    const auto both = co_await ringlet::when_all(write_and_close(pipe), read_all_later(pipe.reading));
    expect(std::get<1>(both) == pipe_bytes + std::get<0>(both), "not all that was written was read");
    const io::owned_fd file = open_file("/file", O_WRONLY | O_CREAT);
    co_await io::write_op{file, as_bytes("content"), 3};
    expect(world.read_file("/file") == std::string{"\0\0\0content", 10}, "a file got other bytes");
}

task<> writes_all(testing::simulation& world) {
    pipe_ends pipe = make_pipe();
    auto write_and_close = [](pipe_ends& to) -> task<> {
        const std::string much(2 * pipe_bytes, 'x');
        co_await io::write_all_op{to.writing, as_bytes(much)};
        to.writing.reset();
    };
    const auto both = co_await ringlet::when_all(write_and_close(pipe), read_all_later(pipe.reading));
    expect(std::get<1>(both) == 2 * pipe_bytes, "not all that was written was read");
    const io::owned_fd file = open_file("/file", O_WRONLY | O_CREAT);
    co_await io::write_all_op{file, as_bytes("content")};
    expect(world.read_file("/file") == "content", "a file got other bytes");
    const pipe_ends full = make_pipe();
    const std::string too_much(2 * pipe_bytes, 'x');
    co_await times_out(io::write_all_op{full.writing, as_bytes(too_much)});
}

task<> splices(testing::simulation& world) {
    world.write_file("/file", "content");
    const io::owned_fd file = open_file("/file", O_RDONLY);
    pipe_ends pipe = make_pipe();
    const std::size_t moved = co_await io::splice_op{file, 0, pipe.writing, -1, 100};
    expect(moved == 7, "not the whole file was moved");
    connection both = co_await connected();
    const std::size_t sent = co_await io::splice_op{pipe.reading, -1, both.near.socket(), -1, 100};
    expect(sent == 7, "not all was moved to the socket");
    const std::string text = co_await receive_exactly(both.far, 7);
    expect(text == "content", "other bytes arrived");
    co_await ringlet::when_all(io::splice_op{pipe.reading, -1, both.near.socket(), -1, 100},
                               write_later(pipe.writing, "late"));
    co_await times_out(io::splice_op{pipe.reading, -1, both.near.socket(), -1, 100});
}

// --- files ---

task<> closes(testing::simulation&) {
    io::owned_fd file = open_file("/file", O_WRONLY | O_CREAT);
    const auto outcome = co_await ringlet::as_result(ringlet::shield(io::close_op{file}));
    static_cast<void>(file.release());  // gone, whatever close said
    if (!outcome) throw std::system_error{outcome.error(), "close"};
}

task<> allocates(testing::simulation& world) {
    const io::owned_fd file = open_file("/file", O_WRONLY | O_CREAT);
    co_await io::fallocate_op{file, 0, 0, 100};
    expect(world.read_file("/file")->size() == 100, "a file was not made longer");
    world.set_disk_bytes(1000);
    const auto full = co_await ringlet::as_result(io::fallocate_op{file, 0, 0, 10000});
    expect(!full, "more space was reserved than there is");
}

task<> syncs(testing::simulation&) {
    const io::owned_fd file = open_file("/file", O_WRONLY | O_CREAT);
    co_await io::fsync_op{file};
    const pipe_ends pipe = make_pipe();
    const auto no_file = co_await ringlet::as_result(io::fsync_op{pipe.writing});
    expect(!no_file, "a pipe was synced");
}

task<> does_nothing(testing::simulation&) {
    for (int i = 0; i < 3; ++i) co_await io::nop_op{};
}

task<> opens(testing::simulation& world) {
    world.write_file("/file", "content");
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    {
        const io::owned_fd file = co_await io::openat2_op{here, "/file", how};
        expect(static_cast<bool>(file), "no descriptor was opened");
    }
    const auto none = co_await ringlet::as_result(io::openat2_op{here, "/none", how});
    expect(!none, "a file that is not there was opened");
}

task<> renames(testing::simulation& world) {
    world.write_file("/a", "a");
    world.write_file("/b", "b");
    const auto exists = co_await ringlet::as_result(io::renameat_op{here, "/a", here, "/b", 1 /* RENAME_NOREPLACE */});
    expect(!exists, "a file was renamed over another");
    co_await io::renameat_op{here, "/a", here, "/b"};
    expect(world.read_file("/b") == "a" && !world.read_file("/a"), "a file was not renamed");
}

task<> asks_about(testing::simulation& world) {
    world.write_file("/file", "content");
    struct statx info{};
    co_await io::statx_op{here, "/file", 0, STATX_BASIC_STATS, info};
    expect(info.stx_size == 7, "statx gave another size");
    const auto none = co_await ringlet::as_result(io::statx_op{here, "/none", 0, STATX_BASIC_STATS, info});
    expect(!none, "a file that is not there has a size");
}

task<> unlinks(testing::simulation& world) {
    world.write_file("/file", "content");
    co_await io::unlinkat_op{here, "/file"};
    expect(!world.read_file("/file"), "a file was not removed");
    const auto none = co_await ringlet::as_result(io::unlinkat_op{here, "/file"});
    expect(!none, "a file that is not there was removed");
}

constexpr awaitable_row rows[] = {
    {"io::accept_op", &accepts},
    {"io::close_op", &closes},
    {"io::connect_op", &connects},
    {"io::fallocate_op", &allocates},
    {"io::fsync_op", &syncs},
    {"io::nop_op", &does_nothing},
    {"io::openat2_op", &opens},
    {"io::poll_op", &polls},
    {"io::read_op", &reads},
    {"io::read_full_op", &reads_fully},
    {"io::recv_op", &receives_plain},
    {"io::recv_provided_op", &receives_provided},
    {"io::recvmsg_op", &receives_message},
    {"io::renameat_op", &renames},
    {"io::send_op", &sends_plain},
    {"io::send_all_op", &sends_whole},
    {"io::sendmsg_op", &sends_message},
    {"io::sendmsg_all_op", &sends_parts_whole},
    {"io::shutdown_op", &shuts_down},
    {"io::splice_op", &splices},
    {"io::statx_op", &asks_about},
    {"io::unlinkat_op", &unlinks},
    {"io::write_op", &writes},
    {"io::write_all_op", &writes_all},
};

}  // namespace

std::span<const awaitable_row> operation_rows() noexcept { return rows; }

}  // namespace ringlet_tests
