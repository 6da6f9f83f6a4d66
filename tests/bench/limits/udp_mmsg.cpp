// SPDX-License-Identifier: MIT
// The other limit for UDP: one thread that receives as many datagrams as there are with recvmmsg(2), and returns them with
// sendmmsg(2).
//
// Try it:  bench-limit-udp-mmsg -p 7000     It prints the address, flushed at once; -p 0 takes a free port.
#include "common/process.hpp"
#include "limits/datagram_socket.hpp"
#include "limits/echo_options.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace {

constexpr unsigned batch = 64;

[[noreturn]] void fail(const char* what) {
    fmt::print(stderr, "bench-limit-udp-mmsg: {}: {}\n", what, std::strerror(errno));
    std::exit(2);
}

[[noreturn]] void echo(int socket, std::size_t bytes) {
    std::vector<std::byte> room(batch * bytes);
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> parts;
    std::array<sockaddr_in, batch> peers;
    for (;;) {
        for (unsigned i = 0; i < batch; ++i) {
            parts[i] = {room.data() + i * bytes, bytes};
            messages[i].msg_hdr = {&peers[i], sizeof peers[i], &parts[i], 1, nullptr, 0, 0};
        }
        const int count = ::recvmmsg(socket, messages.data(), batch, MSG_WAITFORONE, nullptr);
        if (count < 0 && errno != EINTR) fail("recvmmsg");
        for (int i = 0; i < count; ++i)
            parts[static_cast<unsigned>(i)].iov_len = messages[static_cast<unsigned>(i)].msg_len;
        for (int done = 0; done < count;) {
            const int sent = ::sendmmsg(socket, messages.data() + done, static_cast<unsigned>(count - done), 0);
            if (sent < 0) fail("sendmmsg");
            done += sent;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bench::echo_options options = bench::parse_echo_options(argc, argv);
    if (options.core >= 0) bench::pin_to_core(options.core);
    echo(bench::bind_to_loopback(options.port), options.buffer_bytes);
}
