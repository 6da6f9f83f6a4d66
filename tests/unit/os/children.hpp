// SPDX-License-Identifier: MIT
// What the tests with child processes share.
#pragma once

#include "core/support.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/op/read.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ringlet_tests {

/// Mappings of memory that other processes may share.
inline int shared_mappings() {
    std::ifstream maps{"/proc/self/maps"};
    int count = 0;
    for (std::string line; std::getline(maps, line);) count += line.find("/dev/zero (deleted)") != line.npos ? 1 : 0;
    return count;
}

/// Fails the test when it leaves descriptors, frames, shared memory or children, running or dead.
class no_children_left : leak_check {
public:
    // Children have this process's handlers, and Catch2's for SIGTERM would have them report a failure.
    no_children_left() : terminated_{::signal(SIGTERM, SIG_DFL)} {}
    no_children_left(const no_children_left&) = delete;
    no_children_left& operator=(const no_children_left&) = delete;
    ~no_children_left() {
        ::signal(SIGTERM, terminated_);
        errno = 0;
        CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
        CHECK(errno == ECHILD);
        CHECK(shared_mappings() == mappings_);
    }

private:
    void (*terminated_)(int);
    int mappings_ = shared_mappings();
};

struct raw_pipe {
    raw_pipe() {
        std::array<int, 2> fds{};
        if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe2"};
        out = ringlet::io::owned_fd{fds[0]};
        in = ringlet::io::owned_fd{fds[1]};
    }
    void say(char c) const { [[maybe_unused]] const auto n = ::write(in.get(), &c, 1); }
    /// Blocks until a byte comes; 0 at the end.
    char wait() const {
        char c = 0;
        [[maybe_unused]] const auto n = ::read(out.get(), &c, 1);
        return c;
    }
    ringlet::io::owned_fd out;
    ringlet::io::owned_fd in;
};

/// A byte comes; the thread's other jobs go on meanwhile. 0 at the end.
inline ringlet::task<char> said(const raw_pipe& pipe) {
    std::array<std::byte, 1> byte{};
    const std::size_t n = co_await ringlet::io::read_op{pipe.out, byte};
    co_return n == 1 ? static_cast<char>(byte.front()) : '\0';
}

/// How many descriptors of this process are links to something that begins so, "anon_inode:[io_uring]".
inline int descriptors_of_kind(std::string_view kind) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        count += target.starts_with(kind) ? 1 : 0;
    }
    return count;
}

}  // namespace ringlet_tests
