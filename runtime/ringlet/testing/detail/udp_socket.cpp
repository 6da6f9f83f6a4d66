// SPDX-License-Identifier: MIT
// What Linux answers was asked of Linux 6.18 on its loopback.
#include <ringlet/testing/detail/udp_socket.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include <linux/errqueue.h>
#include <netinet/in.h>

namespace ringlet::testing::detail {
namespace {

/// Appends control messages, as the kernel's put_cmsg().
class control_writer {
public:
    explicit control_writer(msghdr& message) noexcept : message_{message}, room_{message.msg_controllen} {
        message.msg_controllen = 0;
    }
    void put(int level, int type, const void* data, std::size_t bytes) noexcept {
        if (!message_.msg_control || room_ < sizeof(cmsghdr)) {
            message_.msg_flags |= MSG_CTRUNC;
            return;
        }
        if (room_ < CMSG_LEN(bytes)) {
            message_.msg_flags |= MSG_CTRUNC;
            bytes = room_ - CMSG_LEN(0);
        }
        cmsghdr header{};
        header.cmsg_len = CMSG_LEN(bytes);
        header.cmsg_level = level;
        header.cmsg_type = type;
        auto* to = static_cast<std::byte*>(message_.msg_control) + message_.msg_controllen;
        std::memcpy(to, &header, sizeof header);
        std::memcpy(to + CMSG_LEN(0), data, bytes);
        const std::size_t taken = std::min<std::size_t>(CMSG_SPACE(bytes), room_);
        message_.msg_controllen += taken;
        room_ -= taken;
    }

private:
    msghdr& message_;
    std::size_t room_;
};

}  // namespace

std::string udp_socket::describe() const {
    if (has_peer_) return fmt::format("UDP {} to {}", to_string(local()), to_string(peer_));
    return fmt::format("UDP {}", to_string(local()));
}

short udp_socket::ready_events() const noexcept {
    int events = writable;
    if (error_ != 0 || !refused_.empty()) events |= POLLERR;
    if (!arrived_.empty()) events |= readable;
    if (receive_shut_) events |= readable | POLLRDHUP;
    if (receive_shut_ && send_shut_) events |= POLLHUP;
    return static_cast<short>(events);
}

int udp_socket::take_destination(ip_endpoint& to, const sockaddr* address, socklen_t length) const noexcept {
    // A socket for IPv6 takes an address of IPv4 for a mapped one.
    const bool v4 = length >= sizeof(sockaddr_in) && address->sa_family == AF_INET;
    if (const int failed = take(to, v4 ? AF_INET : domain(), address, length); failed != 0) return failed;
    return check_destination(to);
}

std::int64_t udp_socket::connect(const sockaddr* address, socklen_t length) {
    if (is_unspecified(address, length)) {
        has_peer_ = false;
        local_mutable().ip = chosen_ip();
        return 0;
    }
    ip_endpoint to;
    if (const int failed = take_destination(to, address, length); failed != 0) return failed;
    if (!has_port() && !bind_to_free_port()) return -EAGAIN;
    local_mutable().ip = is_any(chosen_ip()) ? source_for(to.ip) : chosen_ip();
    peer_ = to;
    has_peer_ = true;
    return 0;
}

std::int64_t udp_socket::shutdown(int how) {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    if (how != SHUT_WR) receive_shut_ = true;
    if (how != SHUT_RD) send_shut_ = true;
    changed();
    return has_peer_ ? 0 : -ENOTCONN;  // and yet it is shut, as on Linux
}

std::int64_t udp_socket::peer_address(sockaddr* to, socklen_t* length) const {
    if (!has_peer_) return -ENOTCONN;
    give(to, length, domain(), peer_);
    return 0;
}

int udp_socket::take_source(ip_address& source, const msghdr& message) const noexcept {
    msghdr walked = message;
    for (cmsghdr* c = CMSG_FIRSTHDR(&walked); c; c = CMSG_NXTHDR(&walked, c)) {
        if (c->cmsg_len < sizeof(cmsghdr)) return -EINVAL;
        ip_address wanted = any_v6;
        if (c->cmsg_level == IPPROTO_IPV6 && domain() == AF_INET6) {
            in6_pktinfo info;
            if (c->cmsg_type != IPV6_PKTINFO || c->cmsg_len < CMSG_LEN(sizeof info)) return -EINVAL;
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            std::memcpy(wanted.data(), &info.ipi6_addr, wanted.size());
        } else if (c->cmsg_level == IPPROTO_IP) {
            in_pktinfo info;
            if (c->cmsg_type != IP_PKTINFO || c->cmsg_len != CMSG_LEN(sizeof info)) return -EINVAL;
            std::memcpy(&info, CMSG_DATA(c), sizeof info);
            wanted = any_v4;
            std::memcpy(wanted.data() + 12, &info.ipi_spec_dst, 4);
        }
        if (is_any(wanted)) continue;
        if (!is_of_host(wanted)) return is_v4(wanted) ? -ENETUNREACH : -EINVAL;
        source = wanted;
    }
    return 0;
}

std::int64_t udp_socket::send(const msghdr& message, int) {
    const std::size_t bytes = bytes_of(message);
    if (bytes > 65535) return -EMSGSIZE;
    ip_endpoint to = peer_;
    if (message.msg_name) {
        const auto* address = static_cast<const sockaddr*>(message.msg_name);
        if (const int failed = take_destination(to, address, message.msg_namelen); failed != 0) return failed;
    } else if (!has_peer_) {
        return -EDESTADDRREQ;
    }
    if (to.port == 0) return -EINVAL;
    if (bytes > (is_v4(to.ip) ? 65507U : 65527U)) return -EMSGSIZE;
    ip_address source = is_any(local().ip) ? source_for(to.ip) : local().ip;
    if (const int failed = take_source(source, message); failed != 0) return failed;
    if (is_v4(source) != is_v4(to.ip)) return -ENETUNREACH;
    if (send_shut_) return -EPIPE;
    if (const int error = take_error(); error != 0) return -error;
    if (where().happens(fault::no_buffers)) return -ENOBUFS;
    if (!has_port() && !bind_to_free_port()) return -EAGAIN;

    auto what = std::make_shared<datagram>();
    what->from = {source, local().port};
    what->to = to;
    what->sender = std::static_pointer_cast<udp_socket>(shared_from_this());
    what->bytes.reserve(bytes);
    for (const iovec& part : parts_of(message)) {
        const auto* from = static_cast<const std::byte*>(part.iov_base);
        what->bytes.insert(what->bytes.end(), from, from + part.iov_len);
    }
    transmit(std::move(what));
    return static_cast<std::int64_t>(bytes);
}

void udp_socket::transmit(shared_datagram what) {
    if (where().happens(fault::datagram_lost)) return;
    const int copies = where().happens(fault::datagram_duplicated) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        deadline when = last_arrival_ = std::max(last_arrival_, where().now() + where().latency());
        if (where().happens(fault::datagram_delayed))
            when += std::chrono::nanoseconds{
                where().below(static_cast<std::uint64_t>(where().plan().delay_max.count()) + 1)};
        where().at(when, [shared = std::weak_ptr{state()}, in = &where(), what] {
            if (const auto hosts = shared.lock()) arrives(*hosts, *in, what);
        });
    }
}

void udp_socket::arrives(network_state& state, world& where, const shared_datagram& what) {
    if (udp_socket* receiver = find_receiver(state.udp, *what)) {
        const auto kept = receiver->shared_from_this();  // whoever waits may close it
        receiver->enqueue(what);
        return;
    }
    where.after(where.latency(), [what] {
        if (const auto sender = what->sender.lock()) sender->refused(what);
    });
}

int udp_socket::score(const datagram& what) const noexcept {
    if (!covers(what.to.ip) || (has_peer_ && peer_ != what.from)) return 0;
    return 1 + (has_peer_ ? 4 : 0) + (is_any(local().ip) ? 0 : 2) + (domain() == AF_INET ? 1 : 0);
}

udp_socket* udp_socket::find_receiver(const port_table& ports, const datagram& what) {
    const port_users* users = ports.find(what.to.port);
    if (!users) return nullptr;
    udp_socket* best = nullptr;
    int best_score = 1;
    for (ip_socket* user : users->bound) {
        auto* candidate = static_cast<udp_socket*>(user);
        const int points = candidate->score(what);
        if (points < best_score) continue;
        best = candidate;  // the last that was bound, where several are as good
        best_score = points;
    }
    return best;
}

void udp_socket::enqueue(const shared_datagram& what) {
    if (queued_ > 0 && queued_ + what->cost() > options.receive_buffer) return;
    queued_ += what->cost();
    arrived_.push_back(what);
    changed();
}

/// An ICMP error has come: port unreachable.
void udp_socket::refused(const shared_datagram& what) {
    const bool wanted = (is_v4(what->to.ip) ? options.receive_errors_v4 : options.receive_errors_v6) != 0;
    if (has_peer_ ? peer_ != what->to : !wanted) return;
    if (wanted && queued_ + what->cost() <= options.receive_buffer) {
        queued_ += what->cost();
        refused_.push_back(what);
    }
    error_ = ECONNREFUSED;
    changed();
}

std::int64_t udp_socket::copy_out(msghdr& message, int flags, const datagram& what,
                                  const ip_endpoint& peer) const noexcept {
    std::size_t copied = 0;
    for (const iovec& part : parts_of(message)) {
        const std::size_t bytes = std::min(part.iov_len, what.bytes.size() - copied);
        if (bytes > 0) std::memcpy(part.iov_base, what.bytes.data() + copied, bytes);
        copied += bytes;
    }
    if (copied < what.bytes.size()) message.msg_flags |= MSG_TRUNC;
    if (message.msg_name)
        give(static_cast<sockaddr*>(message.msg_name), &message.msg_namelen, domain(), peer);
    else
        message.msg_namelen = 0;
    return static_cast<std::int64_t>((flags & MSG_TRUNC) != 0 ? what.bytes.size() : copied);
}

std::int64_t udp_socket::receive(msghdr& message, int flags) {
    message.msg_flags = 0;
    if ((flags & MSG_ERRQUEUE) != 0) return receive_error(message);
    if (const int error = take_error(); error != 0) return -error;
    if (arrived_.empty()) return receive_shut_ ? 0 : -EAGAIN;
    const shared_datagram what = arrived_.front();
    if ((flags & MSG_PEEK) == 0) {
        arrived_.pop_front();
        queued_ -= what->cost();
    }
    control_writer control{message};
    if (options.packet_info_v6 != 0) {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, what->to.ip.data(), what->to.ip.size());
        info.ipi6_ifindex = 1;
        control.put(IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
    if (options.packet_info_v4 != 0 && is_v4(what->to.ip)) {
        in_pktinfo info{};
        info.ipi_ifindex = 1;
        std::memcpy(&info.ipi_addr, what->to.ip.data() + 12, 4);
        info.ipi_spec_dst = info.ipi_addr;
        control.put(IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
    return copy_out(message, flags, *what, what->from);
}

std::int64_t udp_socket::receive_error(msghdr& message) {
    if (refused_.empty()) return -EAGAIN;
    const shared_datagram what = std::move(refused_.front());
    refused_.pop_front();
    queued_ -= what->cost();
    error_ = refused_.empty() ? 0 : ECONNREFUSED;  // of the next one, as on Linux
    message.msg_flags = MSG_ERRQUEUE;

    sock_extended_err error{};
    error.ee_errno = ECONNREFUSED;
    const bool v4 = is_v4(what->to.ip);
    error.ee_origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
    error.ee_type = v4 ? 3 : 1;  // destination unreachable
    error.ee_code = v4 ? 3 : 4;  // its port
    any_sockaddr offender;
    const socklen_t offender_bytes = fill(offender, domain(), {what->to.ip, 0});
    std::array<std::byte, sizeof error + sizeof offender> content;
    std::memcpy(content.data(), &error, sizeof error);
    std::memcpy(content.data() + sizeof error, &offender, offender_bytes);
    const bool v6_socket = domain() == AF_INET6;
    control_writer{message}.put(v6_socket ? IPPROTO_IPV6 : IPPROTO_IP, v6_socket ? IPV6_RECVERR : IP_RECVERR,
                                content.data(), sizeof error + offender_bytes);
    return copy_out(message, 0, *what, what->to);
}

}  // namespace ringlet::testing::detail
