// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>

#include <optional>
#include <utility>

namespace ringlet::io {

/// Has a child of fork(2) close a descriptor that is of no use to it, as the exec of a child would. A copy that stays
/// open does harm: a pipe does not end for its reader, and a ring does not go away, before the last copy is closed.
/// Holds for every fork of the process, whichever thread makes it. `fd` outlives this, may be -1, and is -1
/// in the child.
class closed_on_fork {
public:
    explicit closed_on_fork(int& fd) noexcept;
    closed_on_fork(const closed_on_fork&) = delete;
    closed_on_fork& operator=(const closed_on_fork&) = delete;
    ~closed_on_fork();

private:
    static void close_all() noexcept;

    int* fd_;
    closed_on_fork* next_;
    closed_on_fork* previous_ = nullptr;
};

/// An owned_fd that a child of fork(2) does not have: there it holds nothing.
class private_fd {
public:
    private_fd() noexcept = default;
    explicit private_fd(int fd) noexcept { take(fd); }
    explicit private_fd(owned_fd fd) noexcept { take(fd.release()); }
    private_fd(private_fd&& other) noexcept { take(other.release()); }
    private_fd& operator=(private_fd&& other) noexcept {
        if (this != &other) {
            reset();
            take(other.release());
        }
        return *this;
    }
    ~private_fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    operator fd_ref() const noexcept { return fd_ref{fd_}; }
    int release() noexcept {
        guard_.reset();
        return std::exchange(fd_, -1);
    }
    void reset() noexcept {
        if (const int fd = release(); fd >= 0) sys::close(fd);
    }

private:
    void take(int fd) noexcept;

    int fd_ = -1;
    std::optional<closed_on_fork> guard_;
};

}  // namespace ringlet::io
