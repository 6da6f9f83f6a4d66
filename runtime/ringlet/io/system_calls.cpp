// SPDX-License-Identifier: MIT
#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <linux/openat2.h>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

namespace ringlet::io::sys {
namespace {

system_calls* counted() noexcept {
    ++calls;
    return simulated;
}

}  // namespace

int socket(int domain, int type, int protocol) noexcept {
    return counted() ? simulated->socket(domain, type, protocol) : ::socket(domain, type, protocol);
}
int socketpair(int domain, int type, int protocol, int* fds) noexcept {
    return counted() ? simulated->socketpair(domain, type, protocol, fds) : ::socketpair(domain, type, protocol, fds);
}
int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
    return counted() ? simulated->bind(fd, address, length) : ::bind(fd, address, length);
}
int listen(int fd, int backlog) noexcept { return counted() ? simulated->listen(fd, backlog) : ::listen(fd, backlog); }
int connect(int fd, const sockaddr* address, socklen_t length) noexcept {
    return counted() ? simulated->connect(fd, address, length) : ::connect(fd, address, length);
}
int shutdown(int fd, int how) noexcept { return counted() ? simulated->shutdown(fd, how) : ::shutdown(fd, how); }
int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
    return counted() ? simulated->getsockname(fd, address, length) : ::getsockname(fd, address, length);
}
int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
    return counted() ? simulated->getpeername(fd, address, length) : ::getpeername(fd, address, length);
}
int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept {
    return counted() ? simulated->getsockopt(fd, level, name, value, length)
                     : ::getsockopt(fd, level, name, value, length);
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept {
    return counted() ? simulated->setsockopt(fd, level, name, value, length)
                     : ::setsockopt(fd, level, name, value, length);
}
ssize_t recv(int fd, void* data, std::size_t bytes, int flags) noexcept {
    return counted() ? simulated->recv(fd, data, bytes, flags) : ::recv(fd, data, bytes, flags);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept {
    return counted() ? simulated->recvmsg(fd, message, flags) : ::recvmsg(fd, message, flags);
}
ssize_t send(int fd, const void* data, std::size_t bytes, int flags) noexcept {
    return counted() ? simulated->send(fd, data, bytes, flags) : ::send(fd, data, bytes, flags);
}
int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept {
    return counted() ? simulated->sendmmsg(fd, messages, count, flags) : ::sendmmsg(fd, messages, count, flags);
}
ssize_t sendfile(int to, int from, off_t* offset, std::size_t bytes) noexcept {
    return counted() ? simulated->sendfile(to, from, offset, bytes) : ::sendfile(to, from, offset, bytes);
}
ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t bytes, unsigned flags) noexcept {
    return counted() ? simulated->splice(from, from_offset, to, to_offset, bytes, flags)
                     : ::splice(from, from_offset, to, to_offset, bytes, flags);
}
int close(int fd) noexcept { return counted() ? simulated->close(fd) : ::close(fd); }
ssize_t read(int fd, void* data, std::size_t bytes) noexcept {
    return counted() ? simulated->read(fd, data, bytes) : ::read(fd, data, bytes);
}
ssize_t write(int fd, const void* data, std::size_t bytes) noexcept {
    return counted() ? simulated->write(fd, data, bytes) : ::write(fd, data, bytes);
}
ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset) noexcept {
    return counted() ? simulated->pread(fd, data, bytes, offset) : ::pread(fd, data, bytes, offset);
}
ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) noexcept {
    return counted() ? simulated->pwrite(fd, data, bytes, offset) : ::pwrite(fd, data, bytes, offset);
}
int poll(pollfd* fds, nfds_t count, int timeout_ms) noexcept {
    return counted() ? simulated->poll(fds, count, timeout_ms) : ::poll(fds, count, timeout_ms);
}
int ioctl(int fd, unsigned long request, void* argument) noexcept {
    return counted() ? simulated->ioctl(fd, request, argument) : ::ioctl(fd, request, argument);
}
int fcntl(int fd, int command, long argument) noexcept {
    return counted() ? simulated->fcntl(fd, command, argument) : ::fcntl(fd, command, argument);
}
int pipe2(int* fds, int flags) noexcept { return counted() ? simulated->pipe2(fds, flags) : ::pipe2(fds, flags); }
int eventfd(unsigned count, int flags) noexcept {
    return counted() ? simulated->eventfd(count, flags) : ::eventfd(count, flags);
}
int epoll_create1(int flags) noexcept { return counted() ? simulated->epoll_create1(flags) : ::epoll_create1(flags); }
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
    return counted() ? simulated->epoll_ctl(epoll, operation, fd, event) : ::epoll_ctl(epoll, operation, fd, event);
}
bool isatty(int fd) noexcept {
    termios found{};
    return ioctl(fd, TCGETS, &found) == 0;
}
int openat(int directory, const char* path, int flags, mode_t mode) noexcept {
    return counted() ? simulated->openat(directory, path, flags, mode) : ::openat(directory, path, flags, mode);
}
int open(const char* path, int flags, mode_t mode) noexcept { return openat(AT_FDCWD, path, flags, mode); }
int openat2(int directory, const char* path, const open_how& how) noexcept {
    return counted() ? simulated->openat2(directory, path, how)
                     : static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}
int fstat(int fd, struct stat* info) noexcept { return counted() ? simulated->fstat(fd, info) : ::fstat(fd, info); }
int fstatat(int directory, const char* path, struct stat* info, int flags) noexcept {
    return counted() ? simulated->fstatat(directory, path, info, flags) : ::fstatat(directory, path, info, flags);
}
int fstatfs(int fd, struct statfs* info) noexcept {
    return counted() ? simulated->fstatfs(fd, info) : ::fstatfs(fd, info);
}
int ftruncate(int fd, off_t length) noexcept {
    return counted() ? simulated->ftruncate(fd, length) : ::ftruncate(fd, length);
}
int flock(int fd, int operation) noexcept {
    return counted() ? simulated->flock(fd, operation) : ::flock(fd, operation);
}
int cachestat(int fd, std::uint64_t offset, std::uint64_t bytes, std::uint64_t* pages) noexcept {
    if (counted()) return simulated->cachestat(fd, offset, bytes, pages);
    // Not in the headers of Debian 12; the number is the same on every architecture.
    constexpr long number = 451;
    struct {
        std::uint64_t offset, bytes;
    } range{offset, bytes};
    struct {
        std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
    } found{};
    const long res = ::syscall(number, fd, &range, &found, 0U);
    *pages = found.cached;
    return static_cast<int>(res);
}
int fchmod(int fd, mode_t mode) noexcept { return counted() ? simulated->fchmod(fd, mode) : ::fchmod(fd, mode); }
ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t bytes) noexcept {
    return counted() ? simulated->fgetxattr(fd, name, value, bytes) : ::fgetxattr(fd, name, value, bytes);
}
int fsetxattr(int fd, const char* name, const void* value, std::size_t bytes, int flags) noexcept {
    return counted() ? simulated->fsetxattr(fd, name, value, bytes, flags) : ::fsetxattr(fd, name, value, bytes, flags);
}
int linkat(int from, const char* path, int to, const char* new_path, int flags) noexcept {
    return counted() ? simulated->linkat(from, path, to, new_path, flags) : ::linkat(from, path, to, new_path, flags);
}
int renameat2(int from, const char* path, int to, const char* new_path, unsigned flags) noexcept {
    return counted() ? simulated->renameat2(from, path, to, new_path, flags)
                     : ::renameat2(from, path, to, new_path, flags);
}
int unlinkat(int directory, const char* path, int flags) noexcept {
    return counted() ? simulated->unlinkat(directory, path, flags) : ::unlinkat(directory, path, flags);
}
int mkdir(const char* path, mode_t mode) noexcept {
    return counted() ? simulated->mkdir(path, mode) : ::mkdir(path, mode);
}
mode_t umask(mode_t mask) noexcept { return counted() ? simulated->umask(mask) : ::umask(mask); }
ssize_t getdents64(int directory, void* data, std::size_t bytes) noexcept {
    return counted() ? simulated->getdents64(directory, data, bytes)
                     : ::syscall(SYS_getdents64, directory, data, bytes);
}
ssize_t readlink(const char* path, char* target, std::size_t bytes) noexcept {
    return counted() ? simulated->readlink(path, target, bytes) : ::readlink(path, target, bytes);
}
int signalfd(int fd, const sigset_t* wanted, int flags) noexcept {
    return counted() ? simulated->signalfd(fd, wanted, flags) : ::signalfd(fd, wanted, flags);
}
int pthread_sigmask(int how, const sigset_t* change, sigset_t* before) noexcept {
    return counted() ? simulated->pthread_sigmask(how, change, before) : ::pthread_sigmask(how, change, before);
}
int sigtimedwait(const sigset_t* wanted, siginfo_t* info, const timespec* limit) noexcept {
    return counted() ? simulated->sigtimedwait(wanted, info, limit) : ::sigtimedwait(wanted, info, limit);
}
int sigaction(int number, const struct sigaction* change, struct sigaction* before) noexcept {
    return counted() ? simulated->sigaction(number, change, before) : ::sigaction(number, change, before);
}
int raise(int number) noexcept { return counted() ? simulated->raise(number) : ::raise(number); }
std::time_t time() noexcept { return counted() ? simulated->time() : std::time(nullptr); }

}  // namespace ringlet::io::sys
