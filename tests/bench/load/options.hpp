// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/types.h>

namespace bench {

enum class load_mode { closed_loop, ping_pong, idle, datagrams };

struct load_options {
    load_mode mode = load_mode::closed_loop;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    unsigned connections = 50;  // or sockets
    unsigned outstanding = 1;   // datagrams under way on each socket
    std::size_t message_bytes = 64;
    std::chrono::duration<double> warm_up{0.5};
    std::chrono::duration<double> duration{2.0};
    std::uint64_t messages = 0;  // of each connection; 0: as many as fit into the duration
    std::chrono::microseconds spin{0};
    int core = -1;
    pid_t server = 0;  // 0: do not look at the server's CPU time and memory
    std::string congestion;
};

/// Exits with a usage text when the command line is wrong.
load_options parse_load_options(int argc, char** argv);

}  // namespace bench
