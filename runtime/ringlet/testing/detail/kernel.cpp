// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/testing/detail/allocation.hpp>
#include <ringlet/testing/detail/kernel.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <linux/openat2.h>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/epoll.h>
#include <sys/statfs.h>

namespace ringlet::testing::detail {

kernel::kernel(world& where)
    : world_{&where},
      files_{where},
      network_{where},
      signals_{where},
      output_{std::make_shared<sink>(where, "standard output")},
      errors_{std::make_shared<sink>(where, "standard error")} {
    pipe_ends input = make_pipe(where, "standard input");
    typed_ = std::move(input.writing);
    open_ = {std::move(input.reading), output_, errors_};
}

void kernel::type(std::string_view text) {
    auto rest = ringlet::as_bytes(text);
    const std::int64_t n = typed_ ? typed_->write(rest, -1) : -EPIPE;
    if (n == static_cast<std::int64_t>(rest.size())) return;
    // The terminal takes the rest when some has been read.
    if (n > 0) rest = rest.subspan(static_cast<std::size_t>(n));
    if (n > 0 || n == -EAGAIN)
        world_->after(std::chrono::milliseconds{1}, [this, more = std::string{ringlet::as_text(rest)}] { type(more); });
}

// --- descriptors ---

std::size_t kernel::slot_of(int fd) noexcept {
    if (fd >= 0 && fd <= 2) return static_cast<std::size_t>(fd);
    return fd >= first_descriptor ? static_cast<std::size_t>(fd - first_descriptor) + 3 : SIZE_MAX;
}

std::shared_ptr<open_file> kernel::file(int fd) const noexcept {
    const std::size_t slot = slot_of(fd);
    return slot < open_.size() ? open_[slot] : nullptr;
}

int kernel::directory(int fd, const char* path, std::shared_ptr<open_file>& out) const noexcept {
    if (fd == AT_FDCWD) return 0;
    out = file(fd);
    return out || (path && path[0] == '/') ? 0 : -EBADF;
}

bool kernel::may_install() noexcept {
    return open_count_ < descriptors_max_ && !world_->happens(fault::no_descriptors);
}

int kernel::install(std::shared_ptr<open_file> what) { return may_install() ? put(std::move(what)) : -EMFILE; }

int kernel::put(std::shared_ptr<open_file> what) {
    std::size_t slot = lowest_free_;
    while (slot < open_.size() && open_[slot]) ++slot;
    lowest_free_ = slot + 1;
    if (slot == open_.size()) open_.emplace_back();
    open_[slot] = std::move(what);
    ++open_count_;
    return static_cast<int>(slot - 3) + first_descriptor;
}

int kernel::close_descriptor(int fd) noexcept {
    const std::size_t slot = slot_of(fd);
    if (slot >= open_.size() || !open_[slot]) {
        world_->violated(fmt::format("descriptor {} was closed and is not open (a second close?)", fd));
        return -EBADF;
    }
    const std::shared_ptr<open_file> last = std::exchange(open_[slot], nullptr);
    --open_count_;
    if (slot >= 3) lowest_free_ = std::min(lowest_free_, slot);
    return 0;
}

std::map<int, std::string> kernel::open_descriptors() const {
    std::map<int, std::string> all;
    for (std::size_t slot = 0; slot < open_.size(); ++slot)
        if (open_[slot])
            all[slot < 3 ? static_cast<int>(slot) : static_cast<int>(slot - 3) + first_descriptor] =
                open_[slot]->describe();
    return all;
}

// --- the calls ---

template <class F>
std::int64_t kernel::made(F call) noexcept {
    const no_allocation_faults quiet;
    const std::int64_t n = call();
    if (n >= 0) return n;
    errno = static_cast<int>(-n);
    return -1;
}

template <class F>
std::int64_t kernel::on(int fd, F call) noexcept {
    return made([&]() -> std::int64_t {
        const std::shared_ptr<open_file> f = file(fd);
        return f ? call(*f) : -EBADF;
    });
}

int kernel::socket(int domain, int type, int protocol) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        std::shared_ptr<open_file> out;
        const std::int64_t n = network_.socket(domain, type, protocol, out);
        return n < 0 ? n : install(std::move(out));
    }));
}
int kernel::socketpair(int domain, int type, int protocol, int* fds) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        if (domain != AF_UNIX || (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM || protocol != 0)
            return -EOPNOTSUPP;
        std::shared_ptr<open_file> a;
        std::shared_ptr<open_file> b;
        network_.socket_pair(a, b);
        fds[0] = install(std::move(a));
        if (fds[0] < 0) return fds[0];
        fds[1] = install(std::move(b));
        if (fds[1] >= 0) return 0;
        close_descriptor(fds[0]);
        return fds[1];
    }));
}
int kernel::bind(int fd, const sockaddr* address, socklen_t length) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.bind(address, length); }));
}
int kernel::listen(int fd, int backlog) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.listen(backlog); }));
}
int kernel::connect(int fd, const sockaddr* address, socklen_t length) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.connect(address, length); }));
}
int kernel::shutdown(int fd, int how) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.shutdown(how); }));
}
int kernel::getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.local_address(address, length); }));
}
int kernel::getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.peer_address(address, length); }));
}
int kernel::getsockopt(int fd, int level, int name, void* value, socklen_t* length) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.get_option(level, name, value, length); }));
}
int kernel::setsockopt(int fd, int level, int name, const void* value, socklen_t length) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.set_option(level, name, value, length); }));
}
ssize_t kernel::recv(int fd, void* data, std::size_t bytes, int flags) noexcept {
    iovec part{data, bytes};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return recvmsg(fd, &message, flags);
}
ssize_t kernel::recvmsg(int fd, msghdr* message, int flags) noexcept {
    return on(fd, [&](open_file& f) { return f.receive(*message, flags); });
}
ssize_t kernel::send(int fd, const void* data, std::size_t bytes, int flags) noexcept {
    iovec part{const_cast<void*>(data), bytes};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return on(fd, [&](open_file& f) { return f.send(message, flags); });
}
// As the kernel: an error after the first is left to the next call.
int kernel::sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) -> std::int64_t {
        for (unsigned i = 0; i < count; ++i) {
            const std::int64_t n = f.send(messages[i].msg_hdr, flags);
            if (n < 0) return i > 0 ? static_cast<std::int64_t>(i) : n;
            messages[i].msg_len = static_cast<unsigned>(n);
        }
        return count;
    }));
}
ssize_t kernel::sendfile(int to, int from, off_t* offset, std::size_t bytes) noexcept {
    return on(to, [&](open_file& socket) -> std::int64_t {
        const std::shared_ptr<open_file> source = file(from);
        if (!source) return -EBADF;
        std::vector<std::byte> piece(std::min(bytes, std::size_t{256} * 1024));
        const std::int64_t got = source->read(piece, *offset);
        if (got <= 0) return got;
        iovec part{piece.data(), static_cast<std::size_t>(got)};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const std::int64_t sent = socket.send(message, MSG_NOSIGNAL);
        if (sent > 0) *offset += sent;
        return sent;
    });
}
// At the descriptors' own positions, or at one of the file that is written to; into a pipe or out of it.
ssize_t kernel::splice(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t bytes, unsigned) noexcept {
    return on(from, [&](open_file& source) -> std::int64_t {
        const std::shared_ptr<open_file> target = file(to);
        if (!target) return -EBADF;
        if (from_offset || (!source.pipe() && !target->pipe())) return -EINVAL;
        std::array<std::byte, 4096> block;
        const std::int64_t got = source.peek(std::span{block}.first(std::min(block.size(), bytes)));
        if (got <= 0) return got;
        const auto piece = std::span{block}.first(static_cast<std::size_t>(got));
        const std::int64_t put = target->write(piece, to_offset ? *to_offset : -1);
        if (put <= 0) return put;
        if (to_offset) *to_offset += put;
        return source.read(piece.first(static_cast<std::size_t>(put)), -1);
    });
}
int kernel::close(int fd) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t { return close_descriptor(fd); }));
}
ssize_t kernel::read(int fd, void* data, std::size_t bytes) noexcept {
    return on(fd, [&](open_file& f) { return f.read({static_cast<std::byte*>(data), bytes}, -1); });
}
ssize_t kernel::write(int fd, const void* data, std::size_t bytes) noexcept {
    return on(fd, [&](open_file& f) { return f.write({static_cast<const std::byte*>(data), bytes}, -1); });
}
ssize_t kernel::pread(int fd, void* data, std::size_t bytes, off_t offset) noexcept {
    return on(fd, [&](open_file& f) { return f.read({static_cast<std::byte*>(data), bytes}, offset); });
}
ssize_t kernel::pwrite(int fd, const void* data, std::size_t bytes, off_t offset) noexcept {
    return on(fd, [&](open_file& f) { return f.write({static_cast<const std::byte*>(data), bytes}, offset); });
}
// Never waits: a program that waits here holds up its loop.
int kernel::poll(pollfd* fds, nfds_t count, int) noexcept {
    int ready = 0;
    for (nfds_t i = 0; i < count; ++i) {
        const std::shared_ptr<open_file> f = file(fds[i].fd);
        const int events = fds[i].events | POLLERR | POLLHUP;
        fds[i].revents = f ? static_cast<short>(f->ready_events() & events) : (fds[i].fd < 0 ? short{0} : POLLNVAL);
        if (fds[i].revents != 0) ++ready;
    }
    return ready;
}
int kernel::ioctl(int fd, unsigned long request, void* argument) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.ioctl(request, argument); }));
}
int kernel::fcntl(int fd, int command, long argument) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) -> std::int64_t {
        constexpr int changeable = O_NONBLOCK | O_APPEND;
        switch (command) {
            case F_GETFL:
                return f.status_flags;
            case F_SETFL:
                f.status_flags = (f.status_flags & ~changeable) | (static_cast<int>(argument) & changeable);
                return 0;
            case F_GETFD:
                return FD_CLOEXEC;
            case F_SETFD:
                return 0;
            case F_DUPFD:
            case F_DUPFD_CLOEXEC:
                return install(f.shared_from_this());
            default:
                return -EINVAL;
        }
    }));
}
int kernel::pipe2(int* fds, int flags) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        pipe_ends both = make_pipe(*world_, "a pipe");
        both.reading->status_flags |= flags & O_NONBLOCK;
        both.writing->status_flags |= flags & O_NONBLOCK;
        const int reading = install(std::move(both.reading));
        if (reading < 0) return reading;
        const int writing = install(std::move(both.writing));
        if (writing < 0) {
            close_descriptor(reading);
            return writing;
        }
        fds[0] = reading;
        fds[1] = writing;
        return 0;
    }));
}
int kernel::eventfd(unsigned count, int flags) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        auto event = make_event(*world_, count);
        event->status_flags = O_RDWR | (flags & O_NONBLOCK);
        return install(std::move(event));
    }));
}

int kernel::epoll_create1(int) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t { return install(make_epoll(*world_)); }));
}
int kernel::epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
    return static_cast<int>(on(epoll, [&](open_file& f) -> std::int64_t {
        const std::shared_ptr<open_file> watched = file(fd);
        if (!watched) return -EBADF;
        if (watched->is_regular()) return -EPERM;
        return f.watch(operation, watched, event ? event->events : 0);
    }));
}

int kernel::open_at(int directory_fd, const char* path, const open_how& how) {
    std::shared_ptr<open_file> from;
    if (!may_install()) return -EMFILE;  // Linux asks that first: no file is made for nothing
    if (const int error = directory(directory_fd, path, from); error < 0) return error;
    std::shared_ptr<open_file> out;
    const std::int64_t n = files_.open(from.get(), path, how, out);
    return n < 0 ? static_cast<int>(n) : put(std::move(out));
}
int kernel::openat(int directory_fd, const char* path, int flags, mode_t mode) noexcept {
    return openat2(directory_fd, path, how_of(flags, mode));
}
int kernel::openat2(int directory_fd, const char* path, const open_how& how) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t { return open_at(directory_fd, path, how); }));
}
int kernel::fstat(int fd, struct stat* info) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.stat(*info); }));
}
int kernel::fstatat(int directory_fd, const char* path, struct stat* info, int flags) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        std::shared_ptr<open_file> from;
        const int error = directory(directory_fd, path, from);
        return error < 0 ? error : files_.stat(from.get(), path, flags, *info);
    }));
}
// The seed decides whether the disk is one.
int kernel::fstatfs(int fd, struct statfs* info) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) -> std::int64_t {
        if (!f.is_regular()) return -ENOSYS;
        *info = {};
        info->f_type = world_->chance(0.5) ? TMPFS_MAGIC : EXT4_SUPER_MAGIC;
        info->f_bsize = 1;
        info->f_blocks = files_.capacity();
        info->f_bfree = info->f_bavail = files_.room();
        return 0;
    }));
}
int kernel::ftruncate(int fd, off_t length) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.truncate(length); }));
}
int kernel::flock(int fd, int operation) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.lock(operation); }));
}
// The seed decides what is in memory.
int kernel::cachestat(int fd, std::uint64_t, std::uint64_t bytes, std::uint64_t* pages) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) -> std::int64_t {
        if (!f.is_regular()) return -EBADF;
        *pages = world_->chance(0.5) ? bytes / 4096 + 2 : 0;
        return 0;
    }));
}
int kernel::fchmod(int fd, mode_t mode) noexcept {
    return static_cast<int>(on(fd, [&](open_file& f) { return f.change_mode(mode); }));
}
ssize_t kernel::fgetxattr(int fd, const char* name, void* value, std::size_t bytes) noexcept {
    return on(fd, [&](open_file& f) { return f.attribute(name, {static_cast<std::byte*>(value), bytes}); });
}
int kernel::fsetxattr(int fd, const char* name, const void* value, std::size_t bytes, int) noexcept {
    const std::string_view text{static_cast<const char*>(value), bytes};
    return static_cast<int>(on(fd, [&](open_file& f) { return f.set_attribute(name, text); }));
}
int kernel::linkat(int from_fd, const char* path, int to_fd, const char* new_path, int) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        std::shared_ptr<open_file> from;
        std::shared_ptr<open_file> to;
        if (const int error = std::min(directory(from_fd, path, from), directory(to_fd, new_path, to)); error < 0)
            return error;
        return files_.link(from.get(), path, to.get(), new_path);
    }));
}
int kernel::renameat2(int from_fd, const char* path, int to_fd, const char* new_path, unsigned flags) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        std::shared_ptr<open_file> from;
        std::shared_ptr<open_file> to;
        if (const int error = std::min(directory(from_fd, path, from), directory(to_fd, new_path, to)); error < 0)
            return error;
        return files_.rename(from.get(), path, to.get(), new_path, flags);
    }));
}
int kernel::unlinkat(int directory_fd, const char* path, int flags) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        std::shared_ptr<open_file> from;
        const int error = directory(directory_fd, path, from);
        return error < 0 ? error : files_.unlink(from.get(), path, flags);
    }));
}
int kernel::mkdir(const char* path, mode_t mode) noexcept {
    return static_cast<int>(made([&] { return files_.make_directory(nullptr, path, mode); }));
}
mode_t kernel::umask(mode_t mask) noexcept { return files_.set_umask(mask); }
ssize_t kernel::getdents64(int fd, void* data, std::size_t bytes) noexcept {
    return on(fd, [&](open_file& f) { return f.list({static_cast<std::byte*>(data), bytes}); });
}
ssize_t kernel::readlink(const char* path, char* target, std::size_t bytes) noexcept {
    return made([&]() -> std::int64_t {
        constexpr std::string_view descriptors = "/proc/self/fd/";
        if (!std::string_view{path}.starts_with(descriptors)) return files_.read_link(nullptr, path, target, bytes);
        const auto f = file(std::atoi(path + descriptors.size()));
        if (!f) return -ENOENT;
        const std::string text = f->describe();
        const std::size_t n = std::min(bytes, text.size());
        std::memcpy(target, text.data(), n);
        return static_cast<std::int64_t>(n);
    });
}

int kernel::signalfd(int fd, const sigset_t* wanted, int flags) noexcept {
    return static_cast<int>(made([&]() -> std::int64_t {
        if (fd != -1) return -EINVAL;
        auto f = signals_.make_file(*wanted);
        f->status_flags = O_RDWR | (flags & O_NONBLOCK);
        return install(std::move(f));
    }));
}
int kernel::pthread_sigmask(int how, const sigset_t* change, sigset_t* before) noexcept {
    if (before) *before = signals_.blocked;
    if (change) signals_.change_mask(how, *change);
    return 0;
}
int kernel::sigtimedwait(const sigset_t* wanted, siginfo_t*, const timespec*) noexcept {
    if (const int number = signals_.take(*wanted); number != 0) return number;
    errno = EAGAIN;
    return -1;
}
int kernel::sigaction(int, const struct sigaction*, struct sigaction* before) noexcept {
    if (before) *before = {};
    return 0;
}
int kernel::raise(int number) noexcept {
    const no_allocation_faults quiet;
    signals_.raise(number);
    return 0;
}
std::time_t kernel::time() noexcept {
    return epoch + std::chrono::floor<std::chrono::seconds>(world_->now().time_since_epoch()).count();
}

}  // namespace ringlet::testing::detail
