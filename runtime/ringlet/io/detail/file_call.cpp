// SPDX-License-Identifier: MIT
#include <ringlet/io/detail/file_call.hpp>

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ringlet::io::detail {
namespace {

std::int64_t call(file_call& c) noexcept {
    const io_uring_sqe& sqe = c.sqe;
    const auto offset = static_cast<off_t>(sqe.off);
    auto* const data = reinterpret_cast<void*>(sqe.addr);
    switch (sqe.opcode) {
        case IORING_OP_READ:
            return offset == -1 ? ::read(sqe.fd, data, sqe.len) : ::pread(sqe.fd, data, sqe.len, offset);
        case IORING_OP_WRITE:
            return offset == -1 ? ::write(sqe.fd, data, sqe.len) : ::pwrite(sqe.fd, data, sqe.len, offset);
        case IORING_OP_OPENAT2:
            return open_at_once(sqe.fd, c.path.c_str(), c.how);
        case IORING_OP_STATX:
            return ::statx(sqe.fd, c.path.c_str(), static_cast<int>(sqe.statx_flags), sqe.len,
                           reinterpret_cast<struct statx*>(sqe.off));
        case IORING_OP_RENAMEAT:
            return ::renameat2(sqe.fd, c.path.c_str(), static_cast<int>(sqe.len), c.new_path.c_str(), sqe.rename_flags);
        case IORING_OP_UNLINKAT:
            return ::unlinkat(sqe.fd, c.path.c_str(), static_cast<int>(sqe.unlink_flags));
        case IORING_OP_FALLOCATE:
            return ::fallocate(sqe.fd, static_cast<int>(sqe.len), offset, static_cast<off_t>(sqe.addr));
        case IORING_OP_FSYNC:
            return (sqe.fsync_flags & IORING_FSYNC_DATASYNC) != 0 ? ::fdatasync(sqe.fd) : ::fsync(sqe.fd);
        case IORING_OP_SPLICE: {
            auto in = static_cast<off64_t>(sqe.splice_off_in);
            off64_t out = offset;
            return ::splice(sqe.splice_fd_in, in < 0 ? nullptr : &in, sqe.fd, out < 0 ? nullptr : &out, sqe.len,
                            sqe.splice_flags);
        }
        default:
            errno = EINVAL;
            return -1;
    }
}

std::string text_at(std::uint64_t address) {
    const auto* text = reinterpret_cast<const char*>(address);
    return text != nullptr ? text : "";
}

}  // namespace

int open_at_once(int directory, const char* path, open_how how) noexcept {
    const bool ours = (how.flags & (O_NONBLOCK | O_PATH)) == 0;
    if (ours) how.flags |= O_NONBLOCK;
    auto fd = static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
    if (fd < 0 && (errno == ENOSYS || errno == EPERM) && how.resolve == 0)
        fd = ::openat(directory, path, static_cast<int>(how.flags), static_cast<mode_t>(how.mode));
    if (fd >= 0 && ours) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

file_call::file_call(const io_uring_sqe& asked, void (*run)(work_item&) noexcept) : work_item{run}, sqe{asked} {
    const auto opcode = asked.opcode;
    if (opcode == IORING_OP_OPENAT2 || opcode == IORING_OP_STATX || opcode == IORING_OP_RENAMEAT ||
        opcode == IORING_OP_UNLINKAT)
        path = text_at(asked.addr);
    if (opcode == IORING_OP_RENAMEAT) new_path = text_at(asked.off);
    if (opcode == IORING_OP_OPENAT2) how = *reinterpret_cast<const open_how*>(asked.off);
}

std::int32_t file_call::make() noexcept {
    for (;;) {
        const std::int64_t n = call(*this);
        if (n >= 0) return static_cast<std::int32_t>(n);
        if (errno != EINTR) return -errno;
    }
}

}  // namespace ringlet::io::detail
