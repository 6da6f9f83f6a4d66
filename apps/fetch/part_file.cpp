// SPDX-License-Identifier: MIT
#include "fetch/part_file.hpp"

#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include <ringlet/io/offload.hpp>
#include <ringlet/io/op/renameat.hpp>
#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fetch {
namespace {

namespace fs = ringlet::fs;
namespace sys = ringlet::io::sys;
using apps::exit_code;

// Small pieces (tiny chunks, slow peers) are gathered, so that the number of writes depends on the bytes alone.
constexpr std::size_t direct_bytes = 32 * 1024;
constexpr std::size_t gathered_bytes_max = 128 * 1024;

constexpr mode_t private_mode = 0600;

// Whether the open file is this user's own, regular, private, and still what stands under `name`.
bool is_our_part(int directory, const std::string& name, int fd) noexcept {
    struct stat open_one{};
    struct stat named_one{};
    if (sys::fstat(fd, &open_one) != 0 || sys::fstatat(directory, name.c_str(), &named_one, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    return S_ISREG(open_one.st_mode) && open_one.st_uid == ::geteuid() && open_one.st_nlink == 1 &&
           (open_one.st_mode & 07777) == private_mode && open_one.st_dev == named_one.st_dev &&
           open_one.st_ino == named_one.st_ino;
}

bool lock(int fd) noexcept { return sys::flock(fd, LOCK_EX | LOCK_NB) == 0; }

// Opens NAME.part, locked and empty; nullopt when what lies there is not for us.
ringlet::task<std::optional<fs::file>> open_part(const destination& where, std::string name) {
    const int directory = where.directory().get();
    const auto fresh = fs::open_options::create_new().permissions(private_mode).at(where.directory());
    ringlet::result<fs::file> made = co_await ringlet::as_result(fs::open(name, fresh));
    if (made) {
        // Another run may have opened it in between; then it is that one's.
        if (!lock(made->descriptor().get()) || !is_our_part(directory, name, made->descriptor().get()))
            co_return std::nullopt;
        co_return *std::move(made);
    }
    if (made.error() != std::errc::file_exists) throw file_failure("cannot write", where.path_of(name), made.error());

    // O_NONBLOCK: opening a FIFO would wait for a reader.
    const auto present = fs::open_options::write().flags(O_NOFOLLOW | O_NONBLOCK | O_NOCTTY).at(where.directory());
    ringlet::result<fs::file> left = co_await ringlet::as_result(fs::open(name, present));
    if (!left) co_return std::nullopt;
    const int fd = left->descriptor().get();
    if (!lock(fd) || !is_our_part(directory, name, fd)) co_return std::nullopt;
    sys::fcntl(fd, F_SETFL, sys::fcntl(fd, F_GETFL) & ~O_NONBLOCK);  // io_uring would answer EAGAIN instead of waiting
    const ringlet::result<void> emptied = co_await ringlet::as_result(left->truncate(0));
    if (!emptied) throw file_failure("cannot write", where.path_of(name), emptied.error());
    co_return *std::move(left);
}

bool no_such_flag(const std::error_code& error) noexcept {
    return error == std::errc::invalid_argument || error == std::errc::function_not_supported;
}

// For file systems without RENAME_NOREPLACE: a second name can only be made where there is none.
std::error_code link_and_unlink(int directory, const char* from, const char* to) noexcept {
    if (sys::linkat(directory, from, directory, to, 0) != 0) return {errno, std::generic_category()};
    sys::unlinkat(directory, from, 0);
    return {};
}

}  // namespace

// Nothing is allocated between the making of the file and its owner: it would stay behind where there is no memory.
ringlet::task<std::unique_ptr<part_file>> part_file::open(destination& where, std::string base, std::string name,
                                                          existing_file policy) {
    std::unique_ptr<part_file> part{new part_file{where, std::move(base), policy}};
    for (;;) {
        part->call_it(std::move(name));
        part->file_ = co_await open_part(where, part->part_name_);
        if (part->file_) co_return part;
        if (policy == existing_file::replaced)
            throw failure{exit_code::file, where.path_of(part->part_name_) +
                                               ": in the way: in use, or not left behind by a run of this program"};
        name = where.claim(part->base_);
    }
}

part_file::part_file(destination& where, std::string base, existing_file policy) noexcept
    : where_{&where}, base_{std::move(base)}, policy_{policy} {}

void part_file::call_it(std::string name) {
    part_name_ = name + std::string{part_suffix};
    name_ = std::move(name);
}

// Before the lock goes with the descriptor.
part_file::~part_file() {
    if (file_ && !named_) sys::unlinkat(where_->directory().get(), part_name_.c_str(), 0);
}

ringlet::task<> part_file::write(std::span<const std::byte> bytes) {
    if (gathered_.empty() && bytes.size() >= direct_bytes) {
        co_await put(bytes);
        co_return;
    }
    gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
    if (gathered_.size() >= gathered_bytes_max) co_await flush();
}

ringlet::task<> part_file::put(std::span<const std::byte> bytes) {
    const ringlet::result<void> done = co_await ringlet::as_result(file_->write_all(bytes, offset_));
    if (!done) throw file_failure("write", where_->path_of(part_name_), done.error());
    offset_ += bytes.size();
}

ringlet::task<> part_file::flush() {
    if (!gathered_.empty()) co_await put(gathered_);
    gathered_.clear();
}

// Some file systems (NFS, quotas) report a failed write only when a descriptor is closed. The lock stays with ours. Where
// there is no descriptor to close, nothing is known to be wrong; where there is no thread to wait, the others wait.
ringlet::task<> part_file::settle() {
    auto close_twin = [](int fd) noexcept {
        const int twin = sys::fcntl(fd, F_DUPFD_CLOEXEC, 0);
        return twin < 0 || sys::close(twin) == 0 ? 0 : errno;
    };
    const int fd = file_->descriptor().get();
    int error = 0;
    try {
        error = co_await ringlet::io::offload(close_twin, fd);
    } catch (const std::exception&) {
        error = close_twin(fd);
    }
    if (error != 0) throw file_failure("write", where_->path_of(part_name_), {error, std::generic_category()});
    sys::fchmod(fd, where_->file_mode());  // not every file system has modes
}

// Result: the path. Once the name is taken nothing can fail any more.
ringlet::task<std::string> part_file::take_name() {
    const ringlet::io::fd_ref directory = where_->directory();
    const unsigned flags = policy_ == existing_file::replaced ? 0 : RENAME_NOREPLACE;
    for (;;) {
        std::string path = where_->path_of(name_);
        const ringlet::result<void> renamed = co_await ringlet::as_result(
            ringlet::io::renameat_op{directory, part_name_.c_str(), directory, name_.c_str(), flags});
        std::error_code error = renamed.error();
        if (flags != 0 && no_such_flag(error))
            error = link_and_unlink(directory.get(), part_name_.c_str(), name_.c_str());
        named_ = !error;
        if (named_) co_return path;
        if (flags == 0 || error != std::errc::file_exists) throw file_failure("cannot rename to", path, error);
        name_ = where_->claim(base_);  // somebody else made a file of this name meanwhile
    }
}

ringlet::task<std::string> part_file::finish() {
    co_await flush();
    co_await settle();
    co_return co_await take_name();
}

}  // namespace fetch
