// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/world.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace ringlet::testing::detail {

/// Who waits for something to change at an open file.
class waiter {
public:
    virtual void file_changed() = 0;

protected:
    waiter() = default;
    ~waiter() = default;
};

/// What a descriptor refers to (open(2)'s "open file description"): shared by the descriptors and by the requests in
/// flight; ends with the last of them, which is when close(2) has its effect.
///
/// Calls give what the system call would: a number, or -errno; -EAGAIN for what would have to wait, whatever O_NONBLOCK
/// says: the caller decides who waits.
class open_file : public std::enable_shared_from_this<open_file> {
public:
    explicit open_file(world& where) noexcept : world_{&where} {}
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    virtual ~open_file() = default;

    /// "TCP 127.0.0.1:80 to 127.0.0.1:40000", "/site/index.html": for reports and /proc/self/fd.
    virtual std::string describe() const = 0;
    virtual short ready_events() const noexcept { return readable | writable; }
    virtual std::int64_t stat(struct stat& info) const noexcept = 0;

    /// `offset` -1: at the file's own position, which moves.
    virtual std::int64_t read(std::span<std::byte>, std::int64_t) { return -EINVAL; }
    virtual std::int64_t write(std::span<const std::byte>, std::int64_t) { return -EINVAL; }
    /// The first bytes that read would give at the own position, left there.
    virtual std::int64_t peek(std::span<std::byte>) { return -EINVAL; }
    /// For splice(2): the same for both ends of a pipe, null for all others.
    virtual const void* pipe() const noexcept { return nullptr; }
    virtual std::int64_t ioctl(unsigned long, void*) { return -ENOTTY; }
    virtual std::int64_t sync() { return -EINVAL; }
    virtual std::int64_t allocate(int, std::int64_t, std::int64_t) { return -ENODEV; }
    virtual std::int64_t truncate(std::int64_t) { return -EINVAL; }
    virtual std::int64_t lock(int) { return 0; }
    virtual std::int64_t change_mode(mode_t) { return -EINVAL; }
    virtual std::int64_t attribute(std::string_view, std::span<std::byte>) { return -EOPNOTSUPP; }
    virtual std::int64_t set_attribute(std::string_view, std::string_view) { return -EOPNOTSUPP; }
    virtual std::int64_t list(std::span<std::byte>) { return -ENOTDIR; }
    /// epoll_ctl(2), of an epoll descriptor.
    virtual std::int64_t watch(int, const std::shared_ptr<open_file>&, unsigned) { return -EINVAL; }

    virtual std::int64_t bind(const sockaddr*, socklen_t) { return -ENOTSOCK; }
    virtual std::int64_t listen(int) { return -ENOTSOCK; }
    /// -EINPROGRESS, or -EALREADY when called again: wait for POLLOUT.
    virtual std::int64_t connect(const sockaddr*, socklen_t) { return -ENOTSOCK; }
    virtual std::int64_t shutdown(int) { return -ENOTSOCK; }
    virtual std::int64_t local_address(sockaddr*, socklen_t*) const { return -ENOTSOCK; }
    virtual std::int64_t peer_address(sockaddr*, socklen_t*) const { return -ENOTSOCK; }
    virtual std::int64_t get_option(int, int, void*, socklen_t*) { return -ENOTSOCK; }
    virtual std::int64_t set_option(int, int, const void*, socklen_t) { return -ENOTSOCK; }
    virtual std::int64_t receive(msghdr&, int) { return -ENOTSOCK; }
    virtual std::int64_t send(const msghdr&, int) { return -ENOTSOCK; }
    /// The next connection, with 0; or -errno.
    virtual std::int64_t accept(std::shared_ptr<open_file>&) { return -ENOTSOCK; }

    static constexpr short readable = POLLIN | POLLRDNORM;
    static constexpr short writable = POLLOUT | POLLWRNORM;

    bool is_regular() const noexcept;
    int status_flags = 0;  ///< of open(2) and F_SETFL

    void add(waiter& who) { waiters_.push_back(&who); }
    void remove(waiter& who) noexcept { std::erase(waiters_, &who); }

protected:
    /// Tells all who wait, in an order of the seed's.
    void changed();
    world& where() const noexcept { return *world_; }

private:
    world* world_;
    std::vector<waiter*> waiters_;
};

}  // namespace ringlet::testing::detail
