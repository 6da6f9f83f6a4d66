// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/ip_socket.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

namespace ringlet::testing::detail {

class udp_socket;

struct datagram {
    static constexpr int overhead = 768;

    ip_endpoint from;
    ip_endpoint to;
    std::vector<std::byte> bytes;
    std::weak_ptr<udp_socket> sender;

    int cost() const noexcept { return static_cast<int>(bytes.size()) + overhead; }
};
using shared_datagram = std::shared_ptr<const datagram>;

class udp_socket final : public ip_socket {
public:
    udp_socket(world& where, shared_state shared, int domain)
        : ip_socket{where, std::move(shared), domain, SOCK_DGRAM} {}

    std::string describe() const override;
    short ready_events() const noexcept override;
    std::int64_t listen(int) override { return -EOPNOTSUPP; }
    std::int64_t accept(std::shared_ptr<open_file>&) override { return -EOPNOTSUPP; }
    std::int64_t connect(const sockaddr* address, socklen_t length) override;
    std::int64_t shutdown(int how) override;
    std::int64_t peer_address(sockaddr* to, socklen_t* length) const override;
    std::int64_t receive(msghdr& message, int flags) override;
    std::int64_t send(const msghdr& message, int flags) override;

private:
    std::int64_t unread() const noexcept override {
        return arrived_.empty() ? 0 : static_cast<std::int64_t>(arrived_.front()->bytes.size());
    }
    std::int64_t not_arrived() const noexcept override { return 0; }

    int take_destination(ip_endpoint& to, const sockaddr* address, socklen_t length) const noexcept;
    int take_source(ip_address& source, const msghdr& message) const noexcept;
    void transmit(shared_datagram what);
    static void arrives(network_state& state, world& where, const shared_datagram& what);
    static udp_socket* find_receiver(const port_table& ports, const datagram& what);
    /// 0 when it is not for this socket.
    int score(const datagram& what) const noexcept;
    void enqueue(const shared_datagram& what);
    void refused(const shared_datagram& what);
    std::int64_t copy_out(msghdr& message, int flags, const datagram& what, const ip_endpoint& name) const noexcept;
    std::int64_t receive_error(msghdr& message);

    ip_endpoint peer_;
    bool has_peer_ = false;
    bool receive_shut_ = false;
    bool send_shut_ = false;
    int queued_ = 0;
    deadline last_arrival_{};
    std::deque<shared_datagram> arrived_;
    std::deque<shared_datagram> refused_;
};

}  // namespace ringlet::testing::detail
