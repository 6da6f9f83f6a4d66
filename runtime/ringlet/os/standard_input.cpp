// SPDX-License-Identifier: MIT
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/ready.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace ringlet {
namespace os {
namespace {

std::string name_of(int fd) { return fd == 0 ? "standard input" : io::detail::describe_fd(fd); }

}  // namespace

task<std::size_t> input::read(std::span<std::byte> buffer) {
    const int fd = fd_.get();
    struct stat status{};
    if (io::sys::fstat(fd, &status) != 0) throw std::system_error{errno, std::generic_category(), name_of(fd)};
    if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)) {
        // Always readable as far as poll knows; the read may have to wait for a disk.
        const result<std::size_t> n = co_await as_result(io::read_op{fd_, buffer});
        if (!n) throw std::system_error{n.error(), "read " + name_of(fd)};
        co_return *n;
    }
    for (;;) {
        co_await readable(fd_);
        const ssize_t n = io::sys::read(fd, buffer.data(), buffer.size());
        if (n >= 0) co_return static_cast<std::size_t>(n);
        if (errno != EAGAIN && errno != EINTR)
            throw std::system_error{errno, std::generic_category(), "read " + name_of(fd)};
    }
}

}  // namespace os

std::string line_reader::take(std::size_t end) {
    std::string line = unread_.substr(begin_, end - begin_);
    begin_ = std::min(end + 1, unread_.size());
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

void line_reader::raise_too_long() const {
    throw std::system_error{
        make_error_code(std::errc::message_size),
        fmt::format("a line of {} is longer than {} bytes", os::name_of(input_.descriptor().get()), bytes_max_)};
}

task<std::optional<std::string>> line_reader::next() {
    // Every call suspends; this one before any byte is taken, so that none is lost when the job is cancelled here.
    if (begin_ < unread_.size() || ended_) co_await yield();
    std::size_t searched = begin_;
    for (;;) {
        const std::size_t end = unread_.find('\n', searched);
        if (end != unread_.npos || ended_) {
            std::string line = take(std::min(end, unread_.size()));
            const bool skipped = std::exchange(skipping_, false);
            if (!skipped && line.size() > bytes_max_) raise_too_long();
            if (end != unread_.npos ? !skipped : !skipped && !line.empty()) co_return line;
            if (end == unread_.npos) co_return std::nullopt;
            searched = begin_;
            continue;
        }
        unread_.erase(0, std::exchange(begin_, 0));
        if (skipping_ || unread_.size() > bytes_max_ + 1) {
            unread_.clear();
            if (!std::exchange(skipping_, true)) raise_too_long();
        }
        searched = unread_.size();
        block_.resize(block_bytes);
        const std::size_t n = co_await input_.read(block_);
        unread_ += as_text(std::span{block_}.first(n));
        ended_ = n == 0;
    }
}

}  // namespace ringlet
