// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

struct open_how;
struct epoll_event;
struct statfs;

namespace ringlet::io {

/// The system calls that are made at once and not through the ring. A simulated kernel derives from this and answers
/// them; result and errno are the call's own. See ringlet/testing/simulation.hpp.
class system_calls {
public:
    virtual int socket(int domain, int type, int protocol) noexcept = 0;
    virtual int socketpair(int domain, int type, int protocol, int* fds) noexcept = 0;
    virtual int bind(int fd, const sockaddr* address, socklen_t length) noexcept = 0;
    virtual int listen(int fd, int backlog) noexcept = 0;
    virtual int connect(int fd, const sockaddr* address, socklen_t length) noexcept = 0;
    virtual int shutdown(int fd, int how) noexcept = 0;
    virtual int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept = 0;
    virtual int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept = 0;
    virtual int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept = 0;
    virtual int setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept = 0;
    virtual ssize_t recv(int fd, void* data, std::size_t bytes, int flags) noexcept = 0;
    virtual ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept = 0;
    virtual ssize_t send(int fd, const void* data, std::size_t bytes, int flags) noexcept = 0;
    virtual int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept = 0;
    virtual ssize_t sendfile(int to, int from, off_t* offset, std::size_t bytes) noexcept = 0;
    virtual ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t bytes,
                           unsigned flags) noexcept = 0;

    virtual int close(int fd) noexcept = 0;
    virtual ssize_t read(int fd, void* data, std::size_t bytes) noexcept = 0;
    virtual ssize_t write(int fd, const void* data, std::size_t bytes) noexcept = 0;
    virtual ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset) noexcept = 0;
    virtual ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) noexcept = 0;
    virtual int poll(pollfd* fds, nfds_t count, int timeout_ms) noexcept = 0;
    virtual int ioctl(int fd, unsigned long request, void* argument) noexcept = 0;
    virtual int fcntl(int fd, int command, long argument) noexcept = 0;
    virtual int pipe2(int* fds, int flags) noexcept = 0;
    virtual int eventfd(unsigned count, int flags) noexcept = 0;
    virtual int epoll_create1(int flags) noexcept = 0;
    virtual int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept = 0;

    virtual int openat(int directory, const char* path, int flags, mode_t mode) noexcept = 0;
    virtual int openat2(int directory, const char* path, const open_how& how) noexcept = 0;
    virtual int fstat(int fd, struct stat* info) noexcept = 0;
    virtual int fstatat(int directory, const char* path, struct stat* info, int flags) noexcept = 0;
    virtual int fstatfs(int fd, struct statfs* info) noexcept = 0;
    virtual int ftruncate(int fd, off_t length) noexcept = 0;
    virtual int flock(int fd, int operation) noexcept = 0;
    /// How many of the pages that hold these bytes of a file are in memory: cachestat(2), Linux 6.5.
    virtual int cachestat(int fd, std::uint64_t offset, std::uint64_t bytes, std::uint64_t* pages) noexcept = 0;
    virtual int fchmod(int fd, mode_t mode) noexcept = 0;
    virtual ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t bytes) noexcept = 0;
    virtual int fsetxattr(int fd, const char* name, const void* value, std::size_t bytes, int flags) noexcept = 0;
    virtual int linkat(int from, const char* path, int to, const char* new_path, int flags) noexcept = 0;
    virtual int renameat2(int from, const char* path, int to, const char* new_path, unsigned flags) noexcept = 0;
    virtual int unlinkat(int directory, const char* path, int flags) noexcept = 0;
    virtual int mkdir(const char* path, mode_t mode) noexcept = 0;
    virtual mode_t umask(mode_t mask) noexcept = 0;
    virtual ssize_t getdents64(int directory, void* data, std::size_t bytes) noexcept = 0;
    virtual ssize_t readlink(const char* path, char* target, std::size_t bytes) noexcept = 0;

    virtual int signalfd(int fd, const sigset_t* wanted, int flags) noexcept = 0;
    virtual int pthread_sigmask(int how, const sigset_t* change, sigset_t* before) noexcept = 0;
    virtual int sigtimedwait(const sigset_t* wanted, siginfo_t* info, const timespec* limit) noexcept = 0;
    virtual int sigaction(int number, const struct sigaction* change, struct sigaction* before) noexcept = 0;
    virtual int raise(int number) noexcept = 0;

    virtual std::time_t time() noexcept = 0;

protected:
    system_calls() = default;
    system_calls(const system_calls&) = delete;
    system_calls& operator=(const system_calls&) = delete;
    ~system_calls() = default;
};

/// The calls by their own names: what a program writes in place of ::socket(2) and the rest, so that it can run on a
/// simulated kernel. Each asks the one of this thread where there is one, the operating system otherwise.
namespace sys {

/// Null where the operating system answers.
inline constinit thread_local system_calls* simulated = nullptr;
/// How many of them this thread has made.
inline constinit thread_local std::uint64_t calls = 0;

int socket(int domain, int type, int protocol) noexcept;
int socketpair(int domain, int type, int protocol, int* fds) noexcept;
int bind(int fd, const sockaddr* address, socklen_t length) noexcept;
int listen(int fd, int backlog) noexcept;
int connect(int fd, const sockaddr* address, socklen_t length) noexcept;
int shutdown(int fd, int how) noexcept;
int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept;
int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept;
int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept;
int setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept;
ssize_t recv(int fd, void* data, std::size_t bytes, int flags) noexcept;
ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept;
ssize_t send(int fd, const void* data, std::size_t bytes, int flags) noexcept;
int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept;
ssize_t sendfile(int to, int from, off_t* offset, std::size_t bytes) noexcept;
ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t bytes, unsigned flags) noexcept;

int close(int fd) noexcept;
ssize_t read(int fd, void* data, std::size_t bytes) noexcept;
ssize_t write(int fd, const void* data, std::size_t bytes) noexcept;
ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset) noexcept;
ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) noexcept;
int poll(pollfd* fds, nfds_t count, int timeout_ms) noexcept;
int ioctl(int fd, unsigned long request, void* argument) noexcept;
int fcntl(int fd, int command, long argument = 0) noexcept;
int pipe2(int* fds, int flags) noexcept;
int eventfd(unsigned count, int flags) noexcept;
int epoll_create1(int flags) noexcept;
int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept;
bool isatty(int fd) noexcept;

int open(const char* path, int flags, mode_t mode = 0) noexcept;
int openat(int directory, const char* path, int flags, mode_t mode = 0) noexcept;
int openat2(int directory, const char* path, const open_how& how) noexcept;
int fstat(int fd, struct stat* info) noexcept;
int fstatat(int directory, const char* path, struct stat* info, int flags) noexcept;
int fstatfs(int fd, struct statfs* info) noexcept;
int ftruncate(int fd, off_t length) noexcept;
int flock(int fd, int operation) noexcept;
int cachestat(int fd, std::uint64_t offset, std::uint64_t bytes, std::uint64_t* pages) noexcept;
int fchmod(int fd, mode_t mode) noexcept;
ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t bytes) noexcept;
int fsetxattr(int fd, const char* name, const void* value, std::size_t bytes, int flags = 0) noexcept;
int linkat(int from, const char* path, int to, const char* new_path, int flags) noexcept;
int renameat2(int from, const char* path, int to, const char* new_path, unsigned flags) noexcept;
int unlinkat(int directory, const char* path, int flags) noexcept;
int mkdir(const char* path, mode_t mode) noexcept;
mode_t umask(mode_t mask) noexcept;
ssize_t getdents64(int directory, void* data, std::size_t bytes) noexcept;
ssize_t readlink(const char* path, char* target, std::size_t bytes) noexcept;

int signalfd(int fd, const sigset_t* wanted, int flags) noexcept;
int pthread_sigmask(int how, const sigset_t* change, sigset_t* before) noexcept;
int sigtimedwait(const sigset_t* wanted, siginfo_t* info, const timespec* limit) noexcept;
int sigaction(int number, const struct sigaction* change, struct sigaction* before) noexcept;
int raise(int number) noexcept;

/// Seconds since 1970, as time(2).
std::time_t time() noexcept;

}  // namespace sys
}  // namespace ringlet::io
