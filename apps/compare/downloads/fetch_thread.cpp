// SPDX-License-Identifier: MIT
// Some threads, each of which takes one file after the other. Each waits by itself, so the others go on; what they share,
// the list and what is said, has a lock. The price is a stack and a place in the kernel's scheduler for each.
#include "compare/downloads/models.hpp"

#include <functional>
#include <system_error>
#include <thread>
#include <vector>

namespace comparison {
namespace {

void work(download_session& all) {
    while (const wanted_file* const next = all.next()) fetch_waiting(*next, all);
}

}  // namespace

void fetch_thread(download_session& all) {
    std::vector<std::jthread> others;
    try {
        while (others.size() + 1 < all.jobs()) others.emplace_back(work, std::ref(all));
    } catch (const std::system_error&) {  // no more threads: those that there are do it
    }
    work(all);
}

}  // namespace comparison
