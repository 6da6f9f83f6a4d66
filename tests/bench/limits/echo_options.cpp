// SPDX-License-Identifier: MIT
#include "limits/echo_options.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdlib>

#include <getopt.h>

namespace bench {
namespace {

[[noreturn]] void usage() {
    fmt::print(stderr,
               "usage: bench-limit-echo [-p PORT] [--core N] [--buffers N] [--buffer-bytes N] [--spin MICROSECONDS]\n"
               "                        [--direct] [--congestion NAME] [--corrupt-after CHUNKS]\n");
    std::exit(2);
}

}  // namespace

echo_options parse_echo_options(int argc, char** argv) {
    static constexpr std::array<option, 9> known{{{"port", required_argument, nullptr, 'p'},
                                                  {"core", required_argument, nullptr, 'c'},
                                                  {"buffers", required_argument, nullptr, 'n'},
                                                  {"buffer-bytes", required_argument, nullptr, 'b'},
                                                  {"spin", required_argument, nullptr, 's'},
                                                  {"direct", no_argument, nullptr, 'd'},
                                                  {"congestion", required_argument, nullptr, 'g'},
                                                  {"corrupt-after", required_argument, nullptr, 'x'},
                                                  {nullptr, 0, nullptr, 0}}};
    echo_options options;
    for (int name = 0; (name = ::getopt_long(argc, argv, "p:", known.data(), nullptr)) != -1;) {
        const auto number = [] { return std::strtoull(optarg, nullptr, 10); };
        switch (name) {
            case 'p':
                options.port = static_cast<std::uint16_t>(number());
                break;
            case 'c':
                options.core = static_cast<int>(number());
                break;
            case 'n':
                options.buffers = static_cast<unsigned>(number());
                break;
            case 'b':
                options.buffer_bytes = number();
                break;
            case 's':
                options.spin_ns = number() * 1000;
                break;
            case 'd':
                options.direct = true;
                break;
            case 'g':
                options.congestion = optarg;
                break;
            case 'x':
                options.corrupt_after = number();
                break;
            default:
                usage();
        }
    }
    if (optind != argc || !std::has_single_bit(options.buffers) || options.buffers > 32768 || options.buffer_bytes == 0)
        usage();
    return options;
}

}  // namespace bench
