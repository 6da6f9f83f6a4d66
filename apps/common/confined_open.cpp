// SPDX-License-Identifier: MIT
#include "confined_open.hpp"

#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/system_calls.hpp>

#include <cerrno>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace apps {

namespace {

namespace sys = ringlet::io::sys;

int open_beneath(int root_fd, const char* path) noexcept {
    const open_how how = confined_open_how();
    for (int tries = 0;; ++tries) {
        const long fd = sys::openat2(root_fd, path, how);
        if (fd >= 0) return static_cast<int>(fd);
        if (errno == EINTR) continue;
        if (errno != EAGAIN || tries + 1 >= confined_open_tries) return -errno;
    }
}

// Without openat2: one component after the other, and no link at all.
int open_without_links(int root_fd, std::string_view path) noexcept {
    unique_fd at;
    int current = root_fd;
    for (;;) {
        const auto slash = path.find('/');
        const std::string name{path.substr(0, slash)};
        if (name == ".." || (name.empty() && slash != std::string_view::npos)) return -EXDEV;
        const bool last = slash == std::string_view::npos;
        const int flags = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
        const int fd = sys::openat(current, name.empty() ? "." : name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return -errno;
        if (last) return fd;
        at.reset(fd);
        current = fd;
        path.remove_prefix(slash + 1);
    }
}

// Only what certainly means that nothing is there counts as missing: others list a directory in place of its index then.
open_outcome outcome_of(int error) noexcept {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
        case EINVAL:
        case EILSEQ:
        case EXDEV:   // leads outside
        case ELOOP:   // a loop, or /proc's magic
        case ENXIO:   // a socket, or a device
        case ENODEV:  // that has no driver
            return open_outcome::missing;
        case EACCES:
        case EPERM:
            return open_outcome::denied;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:
            return open_outcome::exhausted;
        default:
            return open_outcome::failed;
    }
}

}  // namespace

void unique_fd::reset(int fd) noexcept {
    if (fd_ >= 0) sys::close(fd_);
    fd_ = fd;
}

open_how confined_open_how() noexcept {
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return how;
}

bool has_hidden_segment(std::string_view relative_path) noexcept {
    return relative_path.starts_with('.') || relative_path.find("/.") != std::string_view::npos;
}

opened judge_opened(int fd_or_error) noexcept {
    opened out;
    if (fd_or_error < 0) {
        out.error = -fd_or_error;
        out.outcome = outcome_of(out.error);
        return out;
    }
    out.fd.reset(fd_or_error);
    if (sys::fstat(out.fd.get(), &out.info) != 0) {
        out.error = errno;
        out.outcome = open_outcome::failed;
    } else if (S_ISREG(out.info.st_mode)) {
        out.outcome = open_outcome::file;
    } else if (S_ISDIR(out.info.st_mode)) {
        out.outcome = open_outcome::directory;
    } else {
        out.error = EINVAL;  // FIFO, socket, device
    }
    if (out.outcome != open_outcome::file && out.outcome != open_outcome::directory) out.fd.reset();
    return out;
}

opened open_confined(int root_fd, const std::string& relative_path, bool allow_hidden) noexcept {
    if (!allow_hidden && has_hidden_segment(relative_path)) return judge_opened(-ENOENT);
    if (relative_path.find('\0') != std::string::npos) return judge_opened(-EINVAL);
    int fd = open_beneath(root_fd, relative_path.empty() ? "." : relative_path.c_str());
    if (fd == -ENOSYS || fd == -EPERM) fd = open_without_links(root_fd, relative_path);
    return judge_opened(fd);
}

ringlet::task<opened> open_confined_without_blocking(ringlet::io::fd_ref root, std::string relative_path) {
    if (relative_path.empty()) relative_path = ".";
    open_how how = confined_open_how();
    for (int tries = 0; tries < confined_open_tries; ++tries) {
        ringlet::result<ringlet::io::owned_fd> fd =
            co_await ringlet::as_result(ringlet::io::openat2_op{root, relative_path.c_str(), how});
        const int error = fd.error().value();
        if (error == EAGAIN) continue;  // a rename at the same moment
        if (error == ENOSYS || error == EPERM)
            co_return co_await ringlet::io::offload(&open_confined, root.get(), relative_path, true);
        co_return judge_opened(fd ? fd->release() : -error);
    }
    co_return judge_opened(-EAGAIN);
}

}  // namespace apps
