// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/op/close.hpp>
#include <ringlet/io/op/fallocate.hpp>
#include <ringlet/io/op/openat2.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace ringlet::fs {
namespace {

task<result<io::owned_fd>> open_descriptor(const std::string& path, const open_options& options) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(options.flags() | O_CLOEXEC));
    // O_TMPFILE holds the bit of O_DIRECTORY, and openat2 refuses permissions where nothing is made.
    const bool makes_one = (options.flags() & O_CREAT) != 0 || (options.flags() & O_TMPFILE) == O_TMPFILE;
    if (makes_one) how.mode = options.permissions();
    how.resolve = options.resolve();
    co_return co_await as_result(io::openat2_op{io::fd_ref{options.directory()}, path.c_str(), how});
}

[[noreturn]] void raise(const std::error_code& error, const char* what, io::fd_ref file) {
    throw std::system_error{error, std::string{what} + " " + io::detail::describe_fd(file.get())};
}

struct stat status_of(io::fd_ref file) {
    struct stat status{};
    if (io::sys::fstat(file.get(), &status) != 0) raise({errno, std::generic_category()}, "size of", file);
    return status;
}

// Up to here a size is not believed: files in /sys say that they have a page, whatever they have.
constexpr std::size_t nominal_bytes_max = 64 * 1024;

}  // namespace

task<file> open(std::string path, open_options options) {
    result<io::owned_fd> fd = co_await open_descriptor(path, options);
    if (!fd) throw std::system_error{fd.error(), "open " + path};
    co_return file{*std::move(fd)};
}

task<std::optional<file>> try_open(std::string path, open_options options) {
    result<io::owned_fd> fd = co_await open_descriptor(path, options);
    if (fd) co_return file{*std::move(fd)};
    if (fd.error() == std::errc::no_such_file_or_directory || fd.error() == std::errc::not_a_directory)
        co_return std::nullopt;
    throw std::system_error{fd.error(), "open " + path};
}

std::uint64_t file::size() const { return static_cast<std::uint64_t>(status_of(fd_).st_size); }

task<std::string> file::read_all(std::size_t bytes_max) {
    bytes_max = ringlet::detail::clamped_limit(bytes_max);
    const struct stat status = status_of(fd_);
    if (S_ISREG(status.st_mode) && std::cmp_greater(status.st_size, std::max(bytes_max, nominal_bytes_max)))
        raise({EFBIG, std::generic_category()}, "read", fd_);
    std::string text;
    for (std::size_t done = 0;;) {
        // One byte more than the size says, to see the end; files in /proc say 0.
        const std::size_t expected = std::max<std::size_t>(size(), done + 4096) + 1;
        text.resize(std::min(expected, bytes_max + 1));
        const std::size_t n = co_await read_full(std::as_writable_bytes(std::span{text}.subspan(done)), done);
        done += n;
        if (done > bytes_max) raise({EFBIG, std::generic_category()}, "read", fd_);
        if (done < text.size()) {
            text.resize(done);
            co_return text;
        }
    }
}

task<> file::truncate(std::uint64_t size) {
    auto call = [](int fd, off_t length) noexcept { return io::sys::ftruncate(fd, length) == 0 ? 0 : errno; };
    const int error = co_await io::offload(call, fd_.get(), static_cast<off_t>(size));
    if (error != 0) raise({error, std::generic_category()}, "truncate", fd_);
}

task<bool> file::allocate(std::uint64_t size) { return allocate(size, 0); }
task<bool> file::reserve(std::uint64_t size) { return allocate(size, FALLOC_FL_KEEP_SIZE); }

task<bool> file::allocate(std::uint64_t size, int mode) {
    if (size == 0) {  // an error to fallocate(2)
        co_await yield();
        co_return true;
    }
    const result<void> done = co_await as_result(io::fallocate_op{fd_, mode, 0, at(size)});
    if (done) co_return true;
    if (done.error() == std::errc::operation_not_supported || done.error() == std::errc::function_not_supported)
        co_return false;
    raise(done.error(), "allocate", fd_);
}

task<> file::close() {
    const result<void> done = co_await as_result(shield(io::close_op{fd_}));
    fd_.release();
    if (!done) throw std::system_error{done.error(), "close"};
}

}  // namespace ringlet::fs
