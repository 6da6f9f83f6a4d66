// SPDX-License-Identifier: MIT
#pragma once

#include "load/options.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace bench {

/// Prints the text on stderr and ends the load with exit status 1.
[[noreturn]] void give_up(const std::string& what);

class socket_handle {
public:
    /// Connects, blocking, with TCP_NODELAY.
    explicit socket_handle(const load_options& options);
    ~socket_handle();
    socket_handle(socket_handle&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    socket_handle& operator=(socket_handle&&) = delete;

    [[nodiscard]] int get() const noexcept { return fd_; }

    void send_all(std::span<const std::byte> data) const;

    /// Blocks until something came; gives up after ten seconds or at end of stream.
    [[nodiscard]] std::span<const std::byte> receive(std::span<std::byte> buffer, std::chrono::microseconds spin) const;

private:
    int fd_;
};

}  // namespace bench
