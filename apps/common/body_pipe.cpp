// SPDX-License-Identifier: MIT
#include "body_pipe.hpp"

#include <ringlet/io/system_calls.hpp>

#include <array>

#include <fcntl.h>

namespace apps {
namespace {

namespace sys = ringlet::io::sys;

// As much as a user may have; more than the default, so that there are few calls for each MiB.
constexpr long room_wanted = 1L << 20;

}  // namespace

std::unique_ptr<body_pipe> body_pipe::make() {
    auto made = std::make_unique<body_pipe>();
    std::array<int, 2> fds{};
    if (sys::pipe2(fds.data(), O_CLOEXEC) != 0) return nullptr;
    made->end = ringlet::io::owned_fd{fds[0]};
    made->begin = ringlet::io::owned_fd{fds[1]};
    sys::fcntl(fds[1], F_SETPIPE_SZ, room_wanted);
    const int room = sys::fcntl(fds[1], F_GETPIPE_SZ);
    if (room <= 0) return nullptr;
    made->room = static_cast<std::size_t>(room);
    return made;
}

}  // namespace apps
