// SPDX-License-Identifier: MIT
// The limit of a file transfer over TCP: a loop of sendfile(2), and a loop of splice(2) from the socket through a pipe into the
// file. No name is asked for, nothing is checked, and every call may wait as long as it likes.
//
// Try it:  bench-limit-xfer serve FILE        says where it listens, and sends FILE to everybody who connects, one at a time
//          bench-limit-xfer get PORT OUT      takes what comes
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr std::size_t piece_bytes = std::size_t{1} << 20;

[[noreturn]] void fail(std::string_view what) {
    fmt::print(stderr, "bench-limit-xfer: {}: {}\n", what, std::strerror(errno));
    std::exit(1);
}

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void send_file(int socket, const char* path) {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    struct stat info{};
    if (file < 0 || ::fstat(file, &info) != 0) fail(path);
    for (off_t at = 0; at < info.st_size;)
        if (::sendfile(socket, file, &at, piece_bytes) <= 0) fail("sendfile");
    ::close(file);
}

int serve(const char* path) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 16) != 0 || ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        fail("listen");
    fmt::print("sending {} at 127.0.0.1:{}\n", path, ntohs(address.sin_port));
    std::fflush(stdout);
    for (;;) {
        const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) fail("accept");
        send_file(socket, path);
        ::close(socket);
    }
}

int get(int port, const char* out) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail("connect");
    const int file = ::open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    std::array<int, 2> pipe{};
    if (file < 0 || ::pipe2(pipe.data(), O_CLOEXEC) != 0) fail(out);
    ::fcntl(pipe[1], F_SETPIPE_SZ, static_cast<int>(piece_bytes));
    for (;;) {
        ssize_t left = ::splice(socket, nullptr, pipe[1], nullptr, piece_bytes, SPLICE_F_MOVE);
        if (left < 0) fail("splice from the socket");
        if (left == 0) return 0;
        while (left > 0) {
            const ssize_t moved =
                ::splice(pipe[0], nullptr, file, nullptr, static_cast<std::size_t>(left), SPLICE_F_MOVE);
            if (moved <= 0) fail("splice to the file");
            left -= moved;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (command == "serve" && argc == 3) return serve(argv[2]);
    if (command == "get" && argc == 4) return get(std::atoi(argv[2]), argv[3]);
    fmt::print(stderr, "usage: bench-limit-xfer serve FILE | get PORT OUT\n");
    return 2;
}
