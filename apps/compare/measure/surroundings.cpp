// SPDX-License-Identifier: MIT
#include "compare/measure/surroundings.hpp"

#include "common/sanitizer_build.hpp"
#include "compare/measure/server.hpp"
#include <ringlet/io/loop.hpp>

#include <fmt/format.h>

#include <fstream>
#include <string_view>

#include <sys/resource.h>
#include <sys/utsname.h>

namespace comparison {
namespace {

std::string first_line_of(const char* path) {
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    return line;
}

std::string processor_name() {
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown";
}

std::string limit(int which) {
    rlimit found{};
    ::getrlimit(static_cast<__rlimit_resource>(which), &found);
    return found.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(found.rlim_cur);
}

std::string kernel() {
    utsname found{};
    ::uname(&found);
    return fmt::format("{} {} {}", found.sysname, found.release, found.machine);
}

constexpr bool is_optimized =
#ifdef __OPTIMIZE__
    true;
#else
    false;
#endif

}  // namespace

std::uint64_t files_max() noexcept {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur;
}

surroundings surroundings_here() {
    const ringlet::loop& here = ringlet::loop::current();
    const processors divided = processors_of_run();
    surroundings all{
        {"kernel", kernel()},
        {"processor", processor_name()},
        {"processors", divided.are_apart()
                           ? fmt::format("servers on number {}, clients on number {}", divided.server, divided.load)
                           : std::string{"one, for servers and clients"}},
        {"network", fmt::format("loopback; congestion control {}; queue of a listener {} at most",
                                first_line_of("/proc/sys/net/ipv4/tcp_congestion_control"),
                                first_line_of("/proc/sys/net/core/somaxconn"))},
        {"limits", fmt::format("{} descriptors, {} processes and threads", limit(RLIMIT_NOFILE), limit(RLIMIT_NPROC))},
        {"compiler", fmt::format("{}, {}", __VERSION__, is_optimized ? "optimized" : "not optimized")},
        {"coroutines", fmt::format("engine {} ({})", here.engine_name(), here.engine_reason())},
    };
    if (const std::string governor = first_line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        !governor.empty())
        all.emplace_back("governor", governor);
    return all;
}

std::vector<std::string> remarks_here() {
    std::vector<std::string> all;
    if (!processors_of_run().are_apart())
        all.emplace_back("There is one processor for servers and clients: the clients' work slows all servers down.");
    if (ringlet::loop::current().engine_name() == "epoll")
        all.push_back(fmt::format("io_uring is not available ({}): coroutine runs on epoll, and uring cannot run.",
                                  ringlet::loop::current().engine_reason()));
    if (!is_optimized || apps::under_sanitizer)
        all.emplace_back("This build is not optimized: our servers and clients are slower than they could be.");
    return all;
}

}  // namespace comparison
