// SPDX-License-Identifier: MIT
// fork: one process becomes two, and who must close which end of the pipe.
//
// fork() returns twice: in the parent it gives the child's number, in the child it gives 0. Both go
// on at the same line, and both have all files and sockets open that were open before. That is
// practical (the child can use a connection that the parent has accepted) and it is a trap: a pipe
// or a connection ends for the reader only when everybody who could still write to it has closed
// it. The parent that forgets to close its copy keeps it alive.
//
// In a server with one process per client it is the same: the parent must close the client's socket
// after fork, or the client waits for ever for the end of the page.
//
// Python: os.fork(), os.pipe(), os.waitpid(). ringlet::process (lesson processes) does all this for
// you.

#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sys = ringlet::io::sys;
using ringlet::io::owned_fd;  // the number of an open file or socket ("descriptor"); closes it in the end

// Whether a read would return at once: with bytes, or with the end.
bool something_to_read(const owned_fd& from) {
    pollfd what{from.get(), POLLIN, 0};
    return sys::poll(&what, 1, 0) == 1;
}

int main() {
    std::array<int, 2> ends;
    if (sys::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
    owned_fd reading{ends[0]};
    owned_fd writing{ends[1]};

    std::fflush(stdout);  // what is still waiting to be printed would be copied, too, and printed twice
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error{errno, std::generic_category(), "fork"};
    if (child == 0) {
        reading.reset();  // the child only writes
        constexpr std::string_view text = "hello from the child";
        const ssize_t written = sys::write(writing.get(), text.data(), text.size());
        ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);  // ends at once; all its descriptors are closed
    }

    int status = 0;
    ::waitpid(child, &status, 0);  // fetches the exit code; until then the child is a zombie, an entry in a table
    fmt::print("the child has ended, code {}\n", WEXITSTATUS(status));

    std::array<char, 100> buffer;
    const ssize_t n = sys::read(reading.get(), buffer.data(), buffer.size());
    fmt::print("read: \"{}\"\n", std::string_view{buffer.data(), static_cast<std::size_t>(n)});
    fmt::print("the parent still has the writing end open; is the end in sight? {}\n", something_to_read(reading));
    writing.reset();
    fmt::print("it has closed it; is the end in sight? {}\n", something_to_read(reading));
    fmt::print("read gives {}, and that means: the end\n", sys::read(reading.get(), buffer.data(), buffer.size()));
}
