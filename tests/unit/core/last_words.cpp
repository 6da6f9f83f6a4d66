// SPDX-License-Identifier: MIT
#include "core/support.hpp"

#include <array>
#include <csignal>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringlet_tests {

std::string last_words(void (*function)()) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        std::signal(SIGABRT, SIG_DFL);
        function();
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string words;
    std::array<char, 512> piece{};
    for (ssize_t n; (n = ::read(ends[0], piece.data(), piece.size())) > 0;)
        words.append(piece.data(), static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) words += " [did not abort]";
    return words;
}

}  // namespace ringlet_tests
