// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/system_calls.hpp>
#include <ringlet/testing/detail/filesystem.hpp>
#include <ringlet/testing/detail/network.hpp>
#include <ringlet/testing/detail/open_file.hpp>
#include <ringlet/testing/detail/small_files.hpp>
#include <ringlet/testing/detail/world.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ringlet::testing::detail {

/// The simulated process's side of the kernel: its table of descriptors, and the system calls that are made at once.
///
/// Descriptors are numbers that no real one has, so that a call which bypasses io::sys fails (EBADF) and hurts nobody.
class kernel final : public io::system_calls {
public:
    static constexpr int first_descriptor = 1 << 24;

    explicit kernel(world& where);
    ~kernel() = default;

    filesystem& files() noexcept { return files_; }
    network& net() noexcept { return network_; }
    signals& signal_state() noexcept { return signals_; }
    sink& output(int fd) noexcept { return fd == 1 ? *output_ : *errors_; }
    void type(std::string_view text);
    void end_input() { typed_.reset(); }
    void set_descriptors_max(std::size_t count) noexcept { descriptors_max_ = count; }

    /// What a descriptor refers to; null when it is not open.
    std::shared_ptr<open_file> file(int fd) const noexcept;
    /// For the first argument of openat(2): 0 and what it refers to, null for AT_FDCWD; or -EBADF, which does not matter
    /// where the path is absolute.
    int directory(int fd, const char* path, std::shared_ptr<open_file>& out) const noexcept;
    /// A new descriptor, or -EMFILE.
    int install(std::shared_ptr<open_file> what);
    bool may_install() noexcept;
    int put(std::shared_ptr<open_file> what);
    int close_descriptor(int fd) noexcept;
    /// "fd 16777216: TCP listening at 127.0.0.1:80", one each.
    std::map<int, std::string> open_descriptors() const;

    // io::system_calls
    int socket(int domain, int type, int protocol) noexcept override;
    int socketpair(int domain, int type, int protocol, int* fds) noexcept override;
    int bind(int fd, const sockaddr* address, socklen_t length) noexcept override;
    int listen(int fd, int backlog) noexcept override;
    int connect(int fd, const sockaddr* address, socklen_t length) noexcept override;
    int shutdown(int fd, int how) noexcept override;
    int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept override;
    int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept override;
    int getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept override;
    int setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept override;
    ssize_t recv(int fd, void* data, std::size_t bytes, int flags) noexcept override;
    ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept override;
    ssize_t send(int fd, const void* data, std::size_t bytes, int flags) noexcept override;
    int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept override;
    ssize_t sendfile(int to, int from, off_t* offset, std::size_t bytes) noexcept override;
    ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t bytes,
                   unsigned flags) noexcept override;
    int close(int fd) noexcept override;
    ssize_t read(int fd, void* data, std::size_t bytes) noexcept override;
    ssize_t write(int fd, const void* data, std::size_t bytes) noexcept override;
    ssize_t pread(int fd, void* data, std::size_t bytes, off_t offset) noexcept override;
    ssize_t pwrite(int fd, const void* data, std::size_t bytes, off_t offset) noexcept override;
    int poll(pollfd* fds, nfds_t count, int timeout_ms) noexcept override;
    int ioctl(int fd, unsigned long request, void* argument) noexcept override;
    int fcntl(int fd, int command, long argument) noexcept override;
    int pipe2(int* fds, int flags) noexcept override;
    int eventfd(unsigned count, int flags) noexcept override;
    int epoll_create1(int flags) noexcept override;
    int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept override;
    int openat(int directory, const char* path, int flags, mode_t mode) noexcept override;
    int openat2(int directory, const char* path, const open_how& how) noexcept override;
    int fstat(int fd, struct stat* info) noexcept override;
    int fstatat(int directory, const char* path, struct stat* info, int flags) noexcept override;
    int fstatfs(int fd, struct statfs* info) noexcept override;
    int ftruncate(int fd, off_t length) noexcept override;
    int flock(int fd, int operation) noexcept override;
    int cachestat(int fd, std::uint64_t offset, std::uint64_t bytes, std::uint64_t* pages) noexcept override;
    int fchmod(int fd, mode_t mode) noexcept override;
    ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t bytes) noexcept override;
    int fsetxattr(int fd, const char* name, const void* value, std::size_t bytes, int flags) noexcept override;
    int linkat(int from, const char* path, int to, const char* new_path, int flags) noexcept override;
    int renameat2(int from, const char* path, int to, const char* new_path, unsigned flags) noexcept override;
    int unlinkat(int directory, const char* path, int flags) noexcept override;
    int mkdir(const char* path, mode_t mode) noexcept override;
    mode_t umask(mode_t mask) noexcept override;
    ssize_t getdents64(int directory, void* data, std::size_t bytes) noexcept override;
    ssize_t readlink(const char* path, char* target, std::size_t bytes) noexcept override;
    int signalfd(int fd, const sigset_t* wanted, int flags) noexcept override;
    int pthread_sigmask(int how, const sigset_t* change, sigset_t* before) noexcept override;
    int sigtimedwait(const sigset_t* wanted, siginfo_t* info, const timespec* limit) noexcept override;
    int sigaction(int number, const struct sigaction* change, struct sigaction* before) noexcept override;
    int raise(int number) noexcept override;
    std::time_t time() noexcept override;

private:
    static std::size_t slot_of(int fd) noexcept;
    int open_at(int directory, const char* path, const open_how& how);
    /// A call on a descriptor: its result, or -1 and errno.
    template <class F>
    std::int64_t on(int fd, F call) noexcept;
    template <class F>
    std::int64_t made(F call) noexcept;

    world* world_;
    filesystem files_;
    network network_;
    signals signals_;
    std::shared_ptr<sink> output_;
    std::shared_ptr<sink> errors_;
    std::shared_ptr<open_file> typed_;  // the writing end of standard input
    std::vector<std::shared_ptr<open_file>> open_;
    std::size_t descriptors_max_ = 1 << 20;
    std::size_t open_count_ = 3;
    std::size_t lowest_free_ = 3;
};

}  // namespace ringlet::testing::detail
