// SPDX-License-Identifier: MIT
#include "compare/measure/process_tree.hpp"

#include <fmt/format.h>

#include <fstream>
#include <string>
#include <vector>

namespace comparison {
std::uint64_t number_in(const std::string& path, std::string_view name) {
    std::ifstream file{path};
    for (std::string word; file >> word;) {
        std::uint64_t number = 0;
        if (word == name && file >> number) return number;
    }
    return 0;
}

process_tree look_at_tree(pid_t root) {
    process_tree all;
    std::vector<pid_t> left{root};
    while (!left.empty()) {
        const std::string home = fmt::format("/proc/{}", left.back());
        left.pop_back();
        const std::uint64_t threads = number_in(home + "/status", "Threads:");
        if (threads == 0) continue;  // it has ended
        ++all.processes;
        all.threads += static_cast<unsigned>(threads);
        all.memory_bytes += number_in(home + "/smaps_rollup", "Pss:") * 1024;
        // Processes are started by the first thread in all models.
        std::ifstream children{fmt::format("{}/task/{}/children", home, home.substr(6))};
        for (pid_t child = 0; children >> child;) left.push_back(child);
    }
    return all;
}

}  // namespace comparison
