// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/inode.hpp>
#include <ringlet/testing/detail/open_file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace ringlet::testing::detail {

/// What all have in common, and all there is of one opened with O_PATH.
class opened : public open_file {
public:
    opened(world& where, std::shared_ptr<dentry> entry, int flags) noexcept
        : open_file{where}, entry_{std::move(entry)}, flags_{flags} {
        status_flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    }

    const std::shared_ptr<dentry>& entry() const noexcept { return entry_; }

    std::string describe() const override { return path_of(*entry_); }
    std::int64_t stat(struct stat& info) const noexcept override {
        node().describe(info);
        return 0;
    }
    std::int64_t read(std::span<std::byte>, std::int64_t offset) override { return offset < -1 ? -EINVAL : -EBADF; }
    std::int64_t write(std::span<const std::byte>, std::int64_t offset) override {
        return offset < -1 ? -EINVAL : -EBADF;
    }
    std::int64_t ioctl(unsigned long, void*) override { return -EBADF; }
    std::int64_t sync() override { return -EBADF; }
    std::int64_t allocate(int, std::int64_t, std::int64_t) override { return -EBADF; }
    std::int64_t truncate(std::int64_t size) override { return size < 0 ? -EINVAL : -EBADF; }
    std::int64_t lock(int operation) override { return is_lock(operation) ? -EBADF : -EINVAL; }
    std::int64_t change_mode(mode_t) override { return -EBADF; }
    std::int64_t list(std::span<std::byte>) override { return -EBADF; }

protected:
    static bool is_lock(int operation) noexcept {
        const int kind = operation & ~LOCK_NB;
        return kind == LOCK_SH || kind == LOCK_EX || kind == LOCK_UN;
    }
    inode& node() const noexcept { return *entry_->node; }
    bool is_readable() const noexcept { return (flags_ & O_ACCMODE) == O_RDONLY || (flags_ & O_ACCMODE) == O_RDWR; }
    bool is_writable() const noexcept { return (flags_ & O_ACCMODE) == O_WRONLY || (flags_ & O_ACCMODE) == O_RDWR; }

private:
    std::shared_ptr<dentry> entry_;
    int flags_;
};

/// What files and directories have in common.
class opened_node : public opened {
public:
    using opened::opened;
    ~opened_node() override { unlock(); }

    std::int64_t ioctl(unsigned long, void*) override { return -ENOTTY; }
    std::int64_t allocate(int, std::int64_t offset, std::int64_t bytes) override {
        return offset < 0 || bytes <= 0 ? -EINVAL : -EBADF;
    }

    std::int64_t lock(int operation) override;
    std::int64_t change_mode(mode_t mode) override;

private:
    bool holds_lock() const noexcept { return std::ranges::find(node().lockers, this) != node().lockers.end(); }
    void unlock() noexcept {
        if (std::erase(node().lockers, this) != 0) node().locked_alone = false;
    }
};

class opened_file final : public opened_node {
public:
    using opened_node::opened_node;

    std::int64_t read(std::span<std::byte> bytes, std::int64_t offset) override;
    std::int64_t peek(std::span<std::byte> bytes) override { return read(bytes, static_cast<std::int64_t>(position_)); }
    std::int64_t write(std::span<const std::byte> bytes, std::int64_t offset) override;
    std::int64_t sync() override { return where().happens(fault::disk_error) ? -EIO : 0; }
    std::int64_t allocate(int mode, std::int64_t offset, std::int64_t bytes) override;
    std::int64_t attribute(std::string_view name, std::span<std::byte> into) override;
    std::int64_t set_attribute(std::string_view name, std::string_view value) override;
    std::int64_t truncate(std::int64_t size) override;
    std::int64_t list(std::span<std::byte>) override { return -ENOTDIR; }

private:
    std::uint64_t position_ = 0;
};

class opened_directory final : public opened_node {
public:
    using opened_node::opened_node;

    std::int64_t read(std::span<std::byte>, std::int64_t offset) override { return offset < -1 ? -EINVAL : -EISDIR; }
    std::int64_t sync() override { return 0; }
    std::int64_t truncate(std::int64_t) override { return -EINVAL; }

    std::int64_t list(std::span<std::byte> out) override;

private:
    std::int64_t position_ = 0;  // the d_off of the last entry that was listed
};

}  // namespace ringlet::testing::detail
