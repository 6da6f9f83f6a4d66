// SPDX-License-Identifier: MIT
#include "load/options.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include <getopt.h>

namespace bench {
namespace {

[[noreturn]] void usage() {
    fmt::print(stderr,
               "usage: bench-echo-load --port PORT [--host ADDRESS] [--mode closed-loop|ping-pong|idle|datagrams]\n"
               "                       [--connections N] [--bytes N] [--warm-up SECONDS] [--duration SECONDS]\n"
               "                       [--outstanding DATAGRAMS] [--messages N] [--spin MICROSECONDS] [--core N]\n"
               "                       [--server-pid PID] [--congestion NAME]\n"
               "Sends messages to an echo server, compares every byte that comes back, and prints what it measured\n"
               "as one line of JSON. Exit status 1: a wrong, missing or surplus byte, or a lost connection.\n");
    std::exit(2);
}

load_mode parse_mode(std::string_view text) {
    if (text == "closed-loop") return load_mode::closed_loop;
    if (text == "ping-pong") return load_mode::ping_pong;
    if (text == "idle") return load_mode::idle;
    if (text == "datagrams") return load_mode::datagrams;
    usage();
}

}  // namespace

load_options parse_load_options(int argc, char** argv) {
    static constexpr std::array<option, 14> known{{{"mode", required_argument, nullptr, 'm'},
                                                   {"host", required_argument, nullptr, 'h'},
                                                   {"port", required_argument, nullptr, 'p'},
                                                   {"connections", required_argument, nullptr, 'n'},
                                                   {"bytes", required_argument, nullptr, 'b'},
                                                   {"outstanding", required_argument, nullptr, 'o'},
                                                   {"warm-up", required_argument, nullptr, 'w'},
                                                   {"duration", required_argument, nullptr, 'd'},
                                                   {"messages", required_argument, nullptr, 'k'},
                                                   {"spin", required_argument, nullptr, 's'},
                                                   {"core", required_argument, nullptr, 'c'},
                                                   {"server-pid", required_argument, nullptr, 'i'},
                                                   {"congestion", required_argument, nullptr, 'g'},
                                                   {nullptr, 0, nullptr, 0}}};
    load_options options;
    for (int name = 0; (name = ::getopt_long(argc, argv, "p:", known.data(), nullptr)) != -1;) {
        const auto number = [] { return std::strtoull(optarg, nullptr, 10); };
        const auto seconds = [] { return std::chrono::duration<double>{std::strtod(optarg, nullptr)}; };
        switch (name) {
            case 'm':
                options.mode = parse_mode(optarg);
                break;
            case 'h':
                options.host = optarg;
                break;
            case 'p':
                options.port = static_cast<std::uint16_t>(number());
                break;
            case 'n':
                options.connections = static_cast<unsigned>(number());
                break;
            case 'b':
                options.message_bytes = number();
                break;
            case 'o':
                options.outstanding = static_cast<unsigned>(number());
                break;
            case 'w':
                options.warm_up = seconds();
                break;
            case 'd':
                options.duration = seconds();
                break;
            case 'k':
                options.messages = number();
                break;
            case 's':
                options.spin = std::chrono::microseconds{number()};
                break;
            case 'c':
                options.core = static_cast<int>(number());
                break;
            case 'i':
                options.server = static_cast<pid_t>(number());
                break;
            case 'g':
                options.congestion = optarg;
                break;
            default:
                usage();
        }
    }
    if (optind != argc || options.port == 0 || options.connections == 0 || options.message_bytes == 0) usage();
    return options;
}

}  // namespace bench
