// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace ringlet::io {

namespace sys {
int close(int fd) noexcept;  // system_calls.hpp
}

/// A file descriptor that somebody else owns.
class fd_ref {
public:
    explicit fd_ref(int fd) noexcept : fd_{fd} {}
    int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// Owns a file descriptor and closes it. No operation on it may be in flight then, which awaiting guarantees.
class owned_fd {
public:
    owned_fd() noexcept = default;
    explicit owned_fd(int fd) noexcept : fd_{fd} {}
    owned_fd(owned_fd&& other) noexcept : fd_{other.release()} {}
    owned_fd& operator=(owned_fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = other.release();
        }
        return *this;
    }
    ~owned_fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    operator fd_ref() const noexcept { return fd_ref{fd_}; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset() noexcept {
        if (const int fd = release(); fd >= 0) sys::close(fd);
    }

private:
    int fd_ = -1;
};

}  // namespace ringlet::io
