// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/open_file.hpp>
#include <ringlet/testing/detail/world.hpp>

#include <cstdint>
#include <memory>

namespace ringlet::testing::detail {

struct network_state;

/// The IP network of one host: TCP and UDP between sockets of the simulation. Of the host are 127.0.0.0/8, ::1 and
/// 10.0.0.0/8. What is sent arrives after a latency of the seed's, a connection's bytes in their order.
///
/// Sockets may outlive it, but not the world.
class network {
public:
    explicit network(world& where);

    /// socket(2) for AF_INET and AF_INET6, SOCK_STREAM and SOCK_DGRAM; for AF_UNIX, SOCK_STREAM. 0 or -errno.
    std::int64_t socket(int domain, int type, int protocol, std::shared_ptr<open_file>& out);
    /// socketpair(2) for AF_UNIX, SOCK_STREAM. What is sent arrives at once.
    std::int64_t socket_pair(std::shared_ptr<open_file>& a, std::shared_ptr<open_file>& b);

private:
    world* world_;
    std::shared_ptr<network_state> state_;
};

}  // namespace ringlet::testing::detail
