// SPDX-License-Identifier: MIT
// What a confined process can still do: in a child each, because it is for ever.
#include "catch.hpp"
#include "serve/sandbox.hpp"

#include <cerrno>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct directory {
    directory() {
        path = "/tmp/ringlet-sandbox-XXXXXX";
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        const int file = ::open((path + "/inside").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        REQUIRE(file >= 0);
        ::close(file);
    }
    ~directory() {
        ::unlink((path + "/inside").c_str());
        ::rmdir(path.c_str());
    }
    std::string path;
};

int open_error(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    return fd < 0 ? errno : 0;
}

// What `attempt` gives in a child that is confined to `root`; 255 where the kernel has no Landlock.
template <class F>
int confined(const std::string& root, F attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
        const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const std::string holds = serve::confine_to_reading(ringlet::io::fd_ref{fd});
        ::_exit(holds.find("(Landlock)") == std::string::npos ? 255 : attempt());
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a confined process reads below the root and nowhere else", "[serve][sandbox]") {
    const directory root;
    if (confined(root.path, [] { return 0; }) == 255) {
        WARN("skipped: this kernel has no Landlock, or a sanitizer runs");
        return;
    }
    CHECK(confined(root.path, [&] { return open_error(root.path + "/inside", O_RDONLY); }) == 0);
    CHECK(confined(root.path, [&] { return open_error(root.path, O_RDONLY | O_DIRECTORY); }) == 0);
    CHECK(confined(root.path, [&] { return open_error(root.path + "/inside", O_WRONLY); }) == EACCES);
    CHECK(confined(root.path, [&] { return open_error(root.path + "/new", O_WRONLY | O_CREAT); }) == EACCES);
    CHECK(confined(root.path, [] { return open_error("/etc/passwd", O_RDONLY); }) == EACCES);
    CHECK(confined(root.path, [] { return open_error("/proc/self/status", O_RDONLY); }) == EACCES);
}

TEST_CASE("a confined process has no way to more privileges", "[serve][sandbox]") {
    const directory root;
    const pid_t child = ::fork();
    if (child == 0) {
        const int fd = ::open(root.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        serve::confine_to_reading(ringlet::io::fd_ref{fd});
        ::_exit(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 1);
}
