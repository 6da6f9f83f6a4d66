// SPDX-License-Identifier: MIT
#include "xfer/out_file.hpp"

#include "common/file_room.hpp"
#include "common/own_file.hpp"
#include "xfer/failure.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace xfer {
namespace {

namespace fs = ringlet::fs;
namespace io = ringlet::io;
namespace sys = ringlet::io::sys;

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == path.npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

out_file::out_file(const std::string& path, bool replaces, std::chrono::nanoseconds patience)
    : path_{path},
      name_{path.substr(path.rfind('/') + 1)},
      part_name_{name_ + ".part"},
      replaces_{replaces},
      pace_{patience},
      directory_{sys::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)},
      mode_{apps::mode_of_new_files()} {
    if (!directory_) throw file_failure("cannot write to", directory_of(path), last_error());
    look_at_name();
}

void out_file::look_at_name() const {
    struct stat info{};
    if (sys::fstatat(directory_.get(), name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return;
        throw file_failure("cannot write", path_, last_error());
    }
    if (!S_ISREG(info.st_mode)) throw failure{reason::file, fmt::format("{} is there and no regular file", path_)};
    if (!replaces_) throw failure{reason::file, fmt::format("{} is there already; --force replaces it", path_)};
}

// Before the lock goes with the descriptor.
out_file::~out_file() {
    if (!file_ || named_) return;
    const int fd = file_->descriptor().get();
    if (kept()) {
        sys::ftruncate(fd, static_cast<off_t>(bytes_));  // gives back the room that was made for what has not come
        return;
    }
    if (apps::stands_under(directory_.get(), part_name_, fd)) sys::unlinkat(directory_.get(), part_name_.c_str(), 0);
}

void out_file::use(io::owned_fd fd) {
    const bool ours = apps::is_own_file(directory_.get(), part_name_, fd.get(), mode_);
    if (!ours)
        throw failure{reason::file,
                      fmt::format("{} is in the way: not left behind by a run of this program", part_path())};
    const std::error_code locked = apps::lock_file(fd.get());
    if (locked && locked != std::errc::operation_would_block) throw file_failure("cannot lock", part_path(), locked);
    if (locked || !apps::stands_under(directory_.get(), part_name_, fd.get()))
        throw failure{reason::file, fmt::format("{} is in the way: in use by another run", part_path())};
    struct stat info{};
    if (sys::fstat(fd.get(), &info) != 0) throw file_failure("cannot read", part_path(), last_error());
    sys::fchmod(fd.get(), apps::private_mode);
    apps::let_it_wait(fd.get());
    file_.emplace(std::move(fd));
    bytes_ = static_cast<std::uint64_t>(info.st_size);
}

bool out_file::take_up() {
    io::owned_fd fd{sys::openat(directory_.get(), part_name_.c_str(), O_RDWR | apps::open_present)};
    if (fd) {
        use(std::move(fd));
        return bytes_ > 0;
    }
    if (errno == ENOENT) return false;
    throw file_failure("cannot go on with", part_path(), last_error());
}

void out_file::make() {
    if (file_) return;
    const int made_new = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    io::owned_fd fd{sys::openat(directory_.get(), part_name_.c_str(), made_new, apps::private_mode)};
    if (!fd && errno == EEXIST) {
        fd = io::owned_fd{sys::openat(directory_.get(), part_name_.c_str(), O_RDWR | apps::open_present)};
        if (!fd) throw file_failure("cannot write", part_path(), last_error());
    }
    if (!fd) throw file_failure("cannot write", part_path(), last_error());
    use(std::move(fd));
}

ringlet::task<> out_file::start_over() {
    if (bytes_ == 0) co_return;
    const ringlet::result<void> emptied = co_await ringlet::as_result(file_->truncate(0));
    if (!emptied) throw file_failure("cannot write", part_path(), emptied.error());
    bytes_ = 0;
}

ringlet::task<> out_file::reserve(std::uint64_t bytes) {
    const ringlet::result<void> reserved = co_await ringlet::as_result(apps::make_room(*file_, bytes));
    if (!reserved) throw file_failure("write", part_path(), reserved.error());
}

ringlet::task<> out_file::write(std::span<const std::byte> bytes) {
    if (pace_.is_slow()) {
        const ringlet::result<void> done = co_await ringlet::as_result(file_->write_all(bytes, bytes_));
        if (!done) throw file_failure("write", part_path(), done.error());
        bytes_ += bytes.size();
        co_return;
    }
    const std::error_code failed = pace_.write_at_once(file_->descriptor(), bytes, bytes_);
    if (failed) throw file_failure("write", part_path(), failed);
}

ringlet::task<> out_file::write_from(const apps::body_pipe& pipe, std::size_t bytes) {
    const int fd = file_->descriptor().get();
    while (bytes > 0) {
        ssize_t moved = 0;
        if (pace_.is_slow()) {
            const auto offset = static_cast<std::int64_t>(bytes_);
            const ringlet::result<std::size_t> done = co_await ringlet::as_result(
                io::splice_op{pipe.end, -1, file_->descriptor(), offset, static_cast<unsigned>(bytes), SPLICE_F_MOVE});
            if (!done) throw file_failure("write", part_path(), done.error());
            moved = static_cast<ssize_t>(*done);
        } else {
            const ringlet::deadline began = ringlet::clock::now();
            auto offset = static_cast<off_t>(bytes_);
            moved = sys::splice(pipe.end.get(), nullptr, fd, &offset, bytes, SPLICE_F_MOVE);
            if (moved < 0 && errno == EINTR) continue;
            if (moved < 0) throw file_failure("write", part_path(), last_error());
            pace_.note(began);
        }
        if (moved == 0) throw failure{reason::other, "a pipe is empty that should not be"};
        bytes_ += static_cast<std::uint64_t>(moved);
        bytes -= static_cast<std::size_t>(moved);
    }
}

ringlet::task<> out_file::finish() {
    const ringlet::result<void> written = co_await ringlet::as_result(apps::check_written(*file_));
    if (!written) throw file_failure("write", part_path(), written.error());
    const int fd = file_->descriptor().get();
    if (!apps::stands_under(directory_.get(), part_name_, fd)) {
        worthless_ = true;  // nobody finds it again
        throw failure{reason::file, fmt::format("{}: somebody has taken it away", part_path())};
    }
    look_at_name();
    sys::fchmod(fd, mode_);  // not every file system has modes
    const std::error_code error = apps::give_name(directory_.get(), part_name_, name_, replaces_);
    if (error) sys::fchmod(fd, apps::private_mode);
    if (error == std::errc::file_exists)
        throw failure{reason::file, fmt::format("{} is there already; --force replaces it", path_)};
    if (error) throw file_failure("cannot rename to", path_, error);
    named_ = true;
}

}  // namespace xfer
