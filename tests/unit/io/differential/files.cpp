// SPDX-License-Identifier: MIT
// Left out, because the file system under /tmp decides: st_blocks, the link count of directories, O_TMPFILE, fallocate(2)
// beyond FALLOC_FL_KEEP_SIZE, RESOLVE_CACHED; and permissions, which the tests' user may not be bound by.
#include "scenarios.hpp"
#include <ringlet/io/op/close.hpp>
#include <ringlet/io/op/fallocate.hpp>
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/recv.hpp>
#include <ringlet/io/op/recv_provided.hpp>
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/renameat.hpp>
#include <ringlet/io/op/send.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/io/op/shutdown.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/op/statx.hpp>
#include <ringlet/io/op/unlinkat.hpp>
#include <ringlet/io/op/write.hpp>

#include <linux/openat2.h>

#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

namespace ringlet_tests::differential {
namespace {

open_how how_to(std::uint64_t flags, std::uint64_t resolve = 0, std::uint64_t mode = 0) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.mode = mode;
    how.resolve = resolve;
    return how;
}

task<> try_open(std::string& log, std::string name, fd_ref from, std::string path, open_how how) {
    co_await note(log, std::move(name), openat2_op{from, path.c_str(), how});
}

task<> contents(std::string& log) {
    const folder f;
    open_how fresh = how_to(O_RDWR | O_CREAT | O_EXCL, 0, 0600);
    const owned_fd file = co_await openat2_op{f.fd, "a", fresh};
    std::array<std::byte, 8> room{};
    co_await note(log, "exists", openat2_op{f.fd, "a", fresh});
    co_await note(log, "write", write_op{file, bytes_of("0123456789")});
    co_await note(log, "write at", write_op{file, bytes_of("X"), 3});
    co_await note(log, "read at", read_op{file, room, 0});
    co_await note(log, "read short", read_op{file, room, 6});
    co_await note(log, "read at the end", read_op{file, room, 10});
    co_await note(log, "read far beyond", read_op{file, room, 1'000'000});
    co_await note(log, "read here", read_op{file, room});
    co_await note(log, "read nothing", read_op{file, nothing, 0});
    co_await note(log, "write nothing", write_op{file, bytes_of(""), 0});
    co_await note(log, "read before the beginning", read_op{file, room, -2});
    co_await note(log, "write before the beginning", write_op{file, bytes_of("x"), -2});
    co_await note(log, "write beyond all", write_op{file, bytes_of("x"), INT64_MAX});
    co_await note(log, "fallocate", fallocate_op{file, 0, 0, 100});
    co_await note(log, "fallocate nothing", fallocate_op{file, 0, 0, 0});
    co_await note(log, "fallocate before the beginning", fallocate_op{file, 0, -1, 100});
    co_await note(log, "fallocate beyond all", fallocate_op{file, 0, INT64_MAX - 10, 100});
    co_await note(log, "fallocate and keep the size", fallocate_op{file, FALLOC_FL_KEEP_SIZE, 0, 1000});
    co_await note(log, "fsync", fsync_op{file});
    struct statx status{};
    co_await note(log, "statx", statx_op{f.fd, "a", 0, STATX_SIZE, status});
    log += std::to_string(status.stx_size) + '\n';
    co_await note(log, "write after a gap", write_op{file, bytes_of("gap"), 200});
    co_await note(log, "read in the gap", read_op{file, room, 150});
    log += room[0] == std::byte{0} && room[7] == std::byte{0} ? "zeros\n" : "no zeros\n";
    const owned_fd read_only = f.file("a", O_RDONLY);
    co_await note(log, "write what is open for reading", write_op{read_only, bytes_of("x")});
    co_await note(log, "fallocate what is open for reading", fallocate_op{read_only, 0, 0, 10});
    co_await note(log, "fsync what is open for reading", fsync_op{read_only});
    const owned_fd write_only = f.file("a", O_WRONLY);
    co_await note(log, "read what is open for writing", read_op{write_only, room});
    const owned_fd appending = f.file("a", O_RDWR | O_APPEND);
    co_await note(log, "append, whatever the offset", write_op{appending, bytes_of("end"), 0});
    co_await note(log, "what was appended", read_op{appending, room, 203});
    const owned_fd emptied = f.file("a", O_RDWR | O_TRUNC);
    co_await note(log, "read what was emptied", read_op{file, room, 0});
    // An open file outlives its name.
    co_await note(log, "write the last", write_op{file, bytes_of("last"), 0});
    co_await note(log, "unlink", unlinkat_op{f.fd, "a"});
    co_await note(log, "read what has no name", read_op{file, room, 0});
    co_await note(log, "statx by the descriptor", statx_op{file, "", AT_EMPTY_PATH, STATX_NLINK | STATX_SIZE, status});
    log += std::to_string(status.stx_size) + " bytes, " + std::to_string(status.stx_nlink) + " names\n";
    co_await note(log, "no file", read_op{fd_ref{-1}, room});
    co_await note(log, "no file to write", write_op{fd_ref{-1}, room});
    co_await note(log, "no file to sync", fsync_op{fd_ref{-1}});
    co_await note(log, "no file to fallocate", fallocate_op{fd_ref{-1}, 0, 0, 1});
}

task<> opening(std::string& log) {
    const folder f;
    f.file("a");
    f.directory("d");
    f.file("d/inner");
    const auto opening_of = [&](const char* name, fd_ref from, std::string path, std::uint64_t flags,
                                std::uint64_t resolve = 0, std::uint64_t mode = 0) {
        return try_open(log, name, from, std::move(path), how_to(flags, resolve, mode));
    };
    co_await opening_of("read", f.fd, "a", O_RDONLY);
    co_await opening_of("nothing", f.fd, "b", O_RDONLY);
    co_await opening_of("the empty name", f.fd, "", O_RDONLY);
    co_await opening_of("below a file", f.fd, "a/c", O_RDONLY);
    co_await opening_of("below nothing", f.fd, "b/c", O_RDONLY | O_CREAT, 0, 0600);
    co_await opening_of("a file with a slash", f.fd, "a/", O_RDONLY);
    co_await opening_of("a file as a directory", f.fd, "a", O_RDONLY | O_DIRECTORY);
    co_await opening_of("a directory", f.fd, "d", O_RDONLY);
    co_await opening_of("a directory with a slash", f.fd, "d/", O_RDONLY | O_DIRECTORY);
    co_await opening_of("a directory for writing", f.fd, "d", O_WRONLY);
    co_await opening_of("a directory to make", f.fd, "d", O_RDONLY | O_CREAT, 0, 0600);
    co_await opening_of("to make with a slash", f.fd, "new/", O_RDWR | O_CREAT, 0, 0600);
    co_await opening_of("a directory to make by O_DIRECTORY", f.fd, "new", O_CREAT | O_DIRECTORY, 0, 0600);
    co_await opening_of("exclusive and there", f.fd, "a", O_RDWR | O_CREAT | O_EXCL, 0, 0600);
    co_await opening_of("a mode and nothing to make", f.fd, "a", O_RDONLY, 0, 0600);
    co_await opening_of("a strange mode", f.fd, "new", O_RDWR | O_CREAT, 0, 0100'000);
    co_await opening_of("strange flags", f.fd, "a", std::uint64_t{1} << 40);
    co_await opening_of("strange ways", f.fd, "a", O_RDONLY, 1U << 31);
    co_await opening_of("two ways", f.fd, "a", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT);
    co_await opening_of("a path and more", f.fd, "a", O_PATH | O_WRONLY);
    co_await opening_of("from no descriptor", fd_ref{-1}, "a", O_RDONLY);
    co_await opening_of("from no descriptor, an absolute one", fd_ref{-1}, f.path + "/a", O_RDONLY);
    const owned_fd file = f.file("a");
    co_await opening_of("from a file", file, "a", O_RDONLY);
    co_await opening_of("from a file, an absolute one", file, f.path + "/a", O_RDONLY);
    const pipe_pair pipe;
    co_await opening_of("from a pipe", pipe.out, "a", O_RDONLY);
    co_await opening_of("a long name", f.fd, std::string(256, 'n'), O_RDONLY);
    co_await opening_of("a name that is just not too long", f.fd, std::string(255, 'n'), O_RDONLY);
    co_await opening_of("a long path", f.fd, "d" + std::string(5000, '/') + "inner", O_RDONLY);
    std::array<std::byte, 8> room{};
    open_how path_only = how_to(O_PATH);
    const owned_fd place = co_await openat2_op{f.fd, "a", path_only};
    co_await note(log, "read a path", read_op{place, room, 0});
    co_await note(log, "write a path", write_op{place, bytes_of("x"), 0});
    co_await note(log, "fsync a path", fsync_op{place});
    co_await note(log, "fallocate a path", fallocate_op{place, 0, 0, 1});
    co_await note(log, "poll a path", poll_op{place, POLLIN});
    open_how directory = how_to(O_RDONLY | O_DIRECTORY);
    const owned_fd d = co_await openat2_op{f.fd, "d", directory};
    co_await note(log, "read a directory", read_op{d, room, 0});
    co_await note(log, "write a directory", write_op{d, bytes_of("x"), 0});
    co_await note(log, "fsync a directory", fsync_op{d});
    co_await note(log, "fallocate a directory", fallocate_op{d, 0, 0, 1});
    co_await note(log, "poll a directory", poll_op{d, POLLIN});
}

task<> resolving(std::string& log) {
    const folder f;
    f.file("a", O_RDWR | O_CREAT, "content");
    f.directory("d");
    f.file("d/inner");
    f.link("a", "to-a");
    f.link("nothing", "dangling");
    f.link("round", "round");
    f.link("d", "to-d");
    f.link("/", "to-root");
    f.link("../a", "d/up");
    const auto opening_of = [&](const char* name, const char* path, std::uint64_t flags, std::uint64_t resolve = 0,
                                std::uint64_t mode = 0) {
        return try_open(log, name, f.fd, path, how_to(flags, resolve, mode));
    };
    co_await opening_of("a link", "to-a", O_RDONLY);
    co_await opening_of("a link that must not be", "to-a", O_RDONLY | O_NOFOLLOW);
    co_await opening_of("a link itself", "to-a", O_PATH | O_NOFOLLOW);
    co_await opening_of("to make where a link is", "to-a", O_RDWR | O_CREAT | O_EXCL, 0, 0600);
    co_await opening_of("a link to nothing", "dangling", O_RDONLY);
    co_await opening_of("to make where a link leads to nothing", "dangling", O_RDWR | O_CREAT, 0, 0600);
    co_await opening_of("a link to itself", "round", O_RDONLY);
    co_await opening_of("through a link", "to-d/inner", O_RDONLY);
    co_await opening_of("a link as a directory", "to-d", O_RDONLY | O_DIRECTORY);
    co_await opening_of("a link as a directory that must not be", "to-d", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    co_await opening_of("a link with a slash that must not be", "to-d/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    co_await opening_of("no links, without", "a", O_RDONLY, RESOLVE_NO_SYMLINKS);
    co_await opening_of("no links, at the end", "to-a", O_RDONLY, RESOLVE_NO_SYMLINKS);
    co_await opening_of("no links, on the way", "to-d/inner", O_RDONLY, RESOLVE_NO_SYMLINKS);
    co_await opening_of("no links, the link itself", "to-a", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
    co_await opening_of("no magic links, without", "to-a", O_RDONLY, RESOLVE_NO_MAGICLINKS);
    co_await opening_of("beneath", "d/inner", O_RDONLY, RESOLVE_BENEATH);
    co_await opening_of("beneath, up", "..", O_RDONLY, RESOLVE_BENEATH);
    co_await opening_of("beneath, up and down", "d/../a", O_RDONLY, RESOLVE_BENEATH);
    co_await opening_of("beneath, by a link up", "d/up", O_RDONLY, RESOLVE_BENEATH);
    co_await opening_of("beneath, absolute", "/tmp", O_RDONLY, RESOLVE_BENEATH);
    co_await opening_of("beneath, by an absolute link", "to-root", O_RDONLY, RESOLVE_BENEATH);
    co_await opening_of("in the root", "/a", O_RDONLY, RESOLVE_IN_ROOT);
    co_await opening_of("in the root, up", "../../a", O_RDONLY, RESOLVE_IN_ROOT);
    co_await opening_of("in the root, by an absolute link", "to-root/a", O_RDONLY, RESOLVE_IN_ROOT);
    co_await opening_of("in the root, what is outside", "/tmp", O_RDONLY, RESOLVE_IN_ROOT);
}

task<> try_statx(std::string& log, std::string name, fd_ref from, std::string path, int flags) {
    struct statx status{};
    co_await note(log, std::move(name), statx_op{from, path.c_str(), flags, STATX_BASIC_STATS, status});
    log += "kind " + std::to_string(status.stx_mode & S_IFMT);
    if (S_ISREG(status.stx_mode) || S_ISLNK(status.stx_mode)) log += ", " + std::to_string(status.stx_size) + " bytes";
    log += '\n';
}

task<> names(std::string& log) {
    const folder f;
    f.file("a", O_RDWR | O_CREAT, "content of a");
    f.file("b", O_RDWR | O_CREAT, "b");
    f.directory("d");
    f.directory("empty");
    f.file("d/inner");
    f.link("a", "link");
    const auto look = [&](const char* name, const char* path, int flags) {
        return try_statx(log, name, f.fd, path, flags);
    };
    co_await look("statx", "a", 0);
    co_await look("statx a directory", "d", 0);
    co_await look("statx a link", "link", AT_SYMLINK_NOFOLLOW);
    co_await look("statx by a link", "link", 0);
    co_await look("statx the folder", "", AT_EMPTY_PATH);
    co_await look("statx the empty name", "", 0);
    co_await look("statx nothing", "c", 0);
    co_await look("statx below a file", "a/x", 0);
    co_await look("statx in a strange way", "a", 1 << 30);
    const owned_fd file = f.file("a");
    const pipe_pair pipe;
    co_await try_statx(log, "statx from no descriptor", fd_ref{-1}, "a", 0);
    co_await try_statx(log, "statx from a file", file, "a", 0);
    co_await try_statx(log, "statx of a pipe", pipe.out, "", AT_EMPTY_PATH);

    const auto rename = [&](const char* name, const char* from, const char* to, unsigned flags = 0) {
        return note(log, name, renameat_op{f.fd, from, f.fd, to, flags});
    };
    co_await rename("rename what is not", "c", "e");
    co_await rename("rename below nothing", "a", "c/e");
    co_await rename("rename below a file", "a", "b/e");
    co_await rename("rename to itself", "a", "a");
    co_await rename("rename and replace nothing", "a", "b", RENAME_NOREPLACE);
    co_await rename("rename and exchange with nothing", "a", "c", RENAME_EXCHANGE);
    co_await rename("rename in two ways", "a", "b", RENAME_EXCHANGE | RENAME_NOREPLACE);
    co_await rename("rename in a strange way", "a", "b", 1U << 20);
    co_await rename("rename and exchange", "a", "b", RENAME_EXCHANGE);
    co_await look("what was exchanged", "b", 0);
    co_await rename("exchange a file and a directory", "b", "d", RENAME_EXCHANGE);
    co_await rename("and back", "b", "d", RENAME_EXCHANGE);
    co_await rename("a file onto a directory", "a", "d");
    co_await rename("a directory onto a file", "d", "a");
    co_await rename("a directory onto a full one", "empty", "d");
    co_await rename("a directory into itself", "d", "d/below");
    co_await rename("a directory onto its parent", "d/inner", "d");
    co_await rename("a directory onto an empty one", "d", "empty");
    co_await rename("a dot", "empty/.", "e");
    co_await rename("a file with a slash", "a/", "e");
    co_await rename("a file to a slash", "a", "e/");
    co_await rename("the empty name", "", "e");
    co_await rename("onto another", "a", "b");
    co_await rename("onto another, again", "a", "b");
    co_await note(log, "rename from no descriptor", renameat_op{fd_ref{-1}, "b", f.fd, "e", 0});
    co_await note(log, "rename to no descriptor", renameat_op{f.fd, "b", fd_ref{-1}, "e", 0});
    co_await note(log, "rename from a file", renameat_op{file, "b", f.fd, "e", 0});

    const auto unlink = [&](const char* name, const char* path, int flags = 0) {
        return note(log, name, unlinkat_op{f.fd, path, flags});
    };
    co_await unlink("unlink a directory", "empty");
    co_await unlink("remove a full directory", "empty", AT_REMOVEDIR);
    co_await unlink("unlink in a directory", "empty/inner");
    co_await unlink("remove an empty directory", "empty", AT_REMOVEDIR);
    co_await unlink("remove a file as a directory", "b", AT_REMOVEDIR);
    co_await unlink("unlink with a slash", "b/");
    co_await unlink("unlink in a strange way", "b", 1);
    co_await unlink("unlink a dot", ".");
    co_await unlink("remove a dot", ".", AT_REMOVEDIR);
    co_await unlink("remove what is above", "..", AT_REMOVEDIR);
    co_await unlink("unlink a link", "link");
    co_await unlink("unlink", "b");
    co_await unlink("unlink again", "b");
    co_await note(log, "unlink from no descriptor", unlinkat_op{fd_ref{-1}, "b"});
    co_await note(log, "unlink from a file", unlinkat_op{file, "b"});
}

task<> wrong_kinds(std::string& log) {
    const folder f;
    const owned_fd file = f.file("a");
    const pipe_pair pipe;
    const owned_fd event{sys::eventfd(0, EFD_CLOEXEC)};
    const local_pair sockets;
    const owned_fd tcp = tcp_socket();
    const owned_fd udp = udp_socket();
    std::array<std::byte, 8> room{};
    iovec part{room.data(), room.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    bool more = true;
    const sockaddr_in address = loopback(9);
    struct kind {
        const char* name;
        fd_ref fd;
    };
    const std::array<kind, 3> no_sockets{kind{"a file", file}, kind{"a pipe", pipe.in}, kind{"an event", event}};
    for (const kind& k : no_sockets) {
        const std::string of = std::string{" on "} + k.name;
        co_await note(log, "recv" + of, recv_op{k.fd, room});
        co_await note(log, "send" + of, send_op{k.fd, bytes_of("z")});
        co_await note(log, "recvmsg" + of, recvmsg_op{k.fd, message});
        co_await note(log, "sendmsg" + of, sendmsg_op{k.fd, message});
        more = true;
        co_await note(log, "provided recv" + of, recv_provided_op{k.fd, more});
        co_await note(log, "accept" + of, accept_op{k.fd});
        co_await note(log, "shutdown" + of, shutdown_op{k.fd, SHUT_WR});
        co_await note(log, "connect" + of,
                      connect_op{k.fd, reinterpret_cast<const sockaddr&>(address), sizeof address});
    }
    const std::array<kind, 5> no_files{kind{"a pipe", pipe.in}, kind{"an event", event},
                                       kind{"a local socket", sockets.a}, kind{"a socket of TCP", tcp},
                                       kind{"a socket of UDP", udp}};
    struct statx status{};
    for (const kind& k : no_files) {
        const std::string of = std::string{" of "} + k.name;
        co_await note(log, "fsync" + of, fsync_op{k.fd});
        co_await note(log, "fallocate" + of, fallocate_op{k.fd, 0, 0, 10});
        co_await note(log, "statx" + of, statx_op{k.fd, "", AT_EMPTY_PATH, STATX_TYPE, status});
        log += std::to_string(status.stx_mode & S_IFMT) + '\n';
        open_how how = how_to(O_RDONLY);
        co_await note(log, "open below" + of, openat2_op{k.fd, "x", how});
    }
    co_await note(log, "accept from a local socket", accept_op{sockets.a});
    co_await note(log, "accept from a socket of UDP", accept_op{udp});
    co_await note(log, "fallocate the reading end of a pipe", fallocate_op{pipe.out, 0, 0, 10});
}

task<> devices(std::string& log) {
    const folder f;
    std::array<std::byte, 8> room{};
    // Nobody is at the other end of a FIFO.
    CHECK(::mkfifoat(f.fd.get(), "fifo", 0600) == 0);
    open_how writing = how_to(O_WRONLY);
    open_how reading = how_to(O_RDONLY);
    co_await note(log, "open a fifo for writing", openat2_op{f.fd, "fifo", writing});
    co_await note(log, "open a fifo for reading", openat2_op{f.fd, "fifo", reading});
    const owned_fd null{sys::open("/dev/null", O_RDWR | O_CLOEXEC)};
    co_await note(log, "read null", read_op{null, room});
    co_await note(log, "write null", write_op{null, bytes_of("xyz")});
    const owned_fd full{sys::open("/dev/full", O_WRONLY | O_CLOEXEC)};
    co_await note(log, "write to a full device", write_op{full, bytes_of("xyz")});
}

}  // namespace

std::vector<scenario> file_scenarios() {
    return {{"contents of files", contents},
            {"opening", opening},
            {"resolving names", resolving},
            {"names", names},
            {"wrong kinds of descriptors", wrong_kinds},
            {"devices and FIFOs", devices, "its file system has regular files, directories and links only"}};
}

}  // namespace ringlet_tests::differential
