// SPDX-License-Identifier: MIT
// What Linux answers was asked of Linux 6.18 on its loopback.
#include <ringlet/testing/detail/ip_socket.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

namespace ringlet::testing::detail {
namespace {

constexpr int receive_buffer_min = 2304;
constexpr int send_buffer_min = 4608;
constexpr int buffer_max = 4 * 1024 * 1024;  // net.core.rmem_max
constexpr int tcp_buffer = 128 * 1024;
constexpr int datagram_buffer = 212992;
constexpr std::size_t sin6_length_min = 24;  // SIN6_LEN_RFC2133: without the scope

constexpr ip_address loopback_v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

}  // namespace

// --- addresses ---

bool is_v4(const ip_address& a) noexcept { return std::equal(a.begin(), a.begin() + 12, any_v4.begin()); }
bool is_any(const ip_address& a) noexcept { return a == any_v4 || a == any_v6; }
bool is_of_host(const ip_address& a) noexcept {
    if (is_v4(a)) return a == any_v4 || a[12] == 127 || a[12] == 10;
    return a == any_v6 || a == loopback_v6;
}

ip_address source_for(const ip_address& to) noexcept {
    if (!is_v4(to)) return loopback_v6;
    return to[12] == 10 ? mapped(10, 0, 0, 1) : mapped(127, 0, 0, 1);
}

std::string to_string(const ip_endpoint& e) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (!is_v4(e.ip))
        return fmt::format("[{}]:{}", ::inet_ntop(AF_INET6, e.ip.data(), text.data(), text.size()), e.port);
    return fmt::format("{}:{}", ::inet_ntop(AF_INET, e.ip.data() + 12, text.data(), text.size()), e.port);
}

socklen_t fill(any_sockaddr& to, int domain, const ip_endpoint& e) noexcept {
    std::memset(&to, 0, sizeof to);
    if (domain == AF_INET) {
        to.v4.sin_family = AF_INET;
        to.v4.sin_port = htons(e.port);
        std::memcpy(&to.v4.sin_addr, e.ip.data() + 12, 4);
        return sizeof to.v4;
    }
    to.v6.sin6_family = AF_INET6;
    to.v6.sin6_port = htons(e.port);
    std::memcpy(&to.v6.sin6_addr, e.ip.data(), 16);
    return sizeof to.v6;
}

void give(sockaddr* to, socklen_t* length, int domain, const ip_endpoint& e) noexcept {
    any_sockaddr from;
    const socklen_t bytes = fill(from, domain, e);
    if (to) std::memcpy(to, &from, std::min(*length, bytes));
    *length = bytes;
}

int take(ip_endpoint& to, int domain, const sockaddr* from, socklen_t length) noexcept {
    if (length < (domain == AF_INET ? sizeof(sockaddr_in) : sin6_length_min)) return -EINVAL;
    if (from->sa_family != domain) return -EAFNOSUPPORT;
    any_sockaddr read{};
    std::memcpy(&read, from, std::min<std::size_t>(length, sizeof read));
    if (domain == AF_INET) {
        to = {any_v4, ntohs(read.v4.sin_port)};
        std::memcpy(to.ip.data() + 12, &read.v4.sin_addr, 4);
    } else {
        to.port = ntohs(read.v6.sin6_port);
        std::memcpy(to.ip.data(), &read.v6.sin6_addr, 16);
    }
    return 0;
}

bool is_unspecified(const sockaddr* address, socklen_t length) noexcept {
    return length >= sizeof address->sa_family && address->sa_family == AF_UNSPEC;
}

std::span<iovec> parts_of(const msghdr& message) noexcept { return {message.msg_iov, message.msg_iovlen}; }
std::size_t bytes_of(const msghdr& message) noexcept {
    std::size_t sum = 0;
    for (const iovec& part : parts_of(message)) sum += part.iov_len;
    return sum;
}

// --- ports ---

void port_table::remove(ip_socket& who, std::uint16_t port) {
    const auto found = users_.find(port);
    if (found == users_.end()) return;
    port_users& users = found->second;
    if (who.is_accepted) {
        ip_socket* last = users.accepted.back();
        users.accepted[who.accepted_place] = last;
        last->accepted_place = who.accepted_place;
        users.accepted.pop_back();
    } else {
        std::erase(users.bound, &who);
    }
    if (users.bound.empty() && users.accepted.empty()) users_.erase(found);
}

std::uint16_t port_table::free_port() {
    for (unsigned tries = 0; tries <= ephemeral_last - ephemeral_first; ++tries) {
        const unsigned port = next_;
        next_ = next_ == ephemeral_last ? ephemeral_first : next_ + 1;
        if (!users_.contains(static_cast<std::uint16_t>(port))) return static_cast<std::uint16_t>(port);
    }
    return 0;
}

// --- what TCP and UDP share ---

ip_socket::ip_socket(world& where, shared_state state, int domain, int type)
    : open_file{where},
      state_{std::move(state)},
      domain_{domain},
      type_{type},
      inode_{state_->next_inode++},
      local_{domain == AF_INET ? any_v4 : any_v6, 0},
      chosen_ip_{local_.ip} {
    options.receive_buffer = type == SOCK_STREAM && domain != AF_UNIX ? tcp_buffer : datagram_buffer;
    options.send_buffer = options.receive_buffer;
    status_flags = O_RDWR;
}

std::int64_t ip_socket::ioctl(unsigned long request, void* argument) {
    std::int64_t got = -ENOTTY;
    if (request == SIOCINQ) got = unread();
    if (request == SIOCOUTQ) got = not_arrived();
    if (got < 0) return got;
    const int value = static_cast<int>(got);
    std::memcpy(argument, &value, sizeof value);
    return 0;
}

std::int64_t ip_socket::bind(const sockaddr* address, socklen_t length) {
    ip_endpoint to;
    if (const int failed = take(to, domain_, address, length); failed != 0) {
        // Linux lets a program say the any address of IPv4 with AF_UNSPEC.
        if (failed != -EAFNOSUPPORT || domain_ != AF_INET || address->sa_family != AF_UNSPEC) return failed;
        to = {any_v4, 0};
    }
    if (domain_ == AF_INET6 && is_v4(to.ip) && options.v6_only != 0) return -EINVAL;
    if (!is_of_host(to.ip)) return -EADDRNOTAVAIL;
    if (has_port_ || listening()) return -EINVAL;
    const bool any_port = to.port == 0;
    if (any_port) to.port = ports().free_port();
    if (to.port == 0 || in_use(to.ip, to.port)) return -EADDRINUSE;
    local_ = to;
    chosen_ip_ = to.ip;
    bound_by_user_ = !any_port;  // who asked for any port loses it when the connection ends
    has_port_ = true;
    ports().add(*this, to.port);
    return 0;
}

bool ip_socket::in_use(const ip_address& ip, std::uint16_t port) const noexcept {
    const port_users* users = ports().find(port);
    if (!users) return false;
    const auto conflicts = [&](const ip_socket* other) {
        if (other == this || (!covers(ip, other->local_.ip) && !other->covers(ip))) return false;
        if (options.reuse_port != 0 && other->options.reuse_port != 0) return false;
        return options.reuse_address == 0 || other->options.reuse_address == 0 || other->listening();
    };
    return std::ranges::any_of(users->bound, conflicts) || std::ranges::any_of(users->accepted, conflicts);
}

bool ip_socket::bind_to_free_port() {
    local_.port = ports().free_port();
    if (local_.port == 0) return false;
    has_port_ = true;
    ports().add(*this, local_.port);
    return true;
}

int ip_socket::check_destination(ip_endpoint& to) const noexcept {
    if (to.ip == any_v6) to.ip = loopback_v6;
    if (to.ip == any_v4) to.ip = mapped(127, 0, 0, 1);
    if (!is_of_host(to.ip)) return -ENETUNREACH;
    if (domain_ == AF_INET) return 0;
    if (is_v4(to.ip) && (options.v6_only != 0 || (!is_any(chosen_ip_) && !is_v4(chosen_ip_)))) return -ENETUNREACH;
    return !is_v4(to.ip) && is_v4(chosen_ip_) ? -EAFNOSUPPORT : 0;
}

int* ip_socket::find_option(int level, int name) noexcept {
    if (level == SOL_SOCKET) {
        switch (name) {
            case SO_REUSEADDR:
                return &options.reuse_address;
            case SO_REUSEPORT:
                return &options.reuse_port;
            case SO_KEEPALIVE:
                return &options.keep_alive;
            case SO_RCVBUF:
                return &options.receive_buffer;
            case SO_SNDBUF:
                return &options.send_buffer;
            default:
                return nullptr;
        }
    }
    if (is_unix()) return nullptr;
    if (level == IPPROTO_TCP && type_ == SOCK_STREAM && name == TCP_NODELAY) return &options.no_delay;
    if (level == IPPROTO_TCP && type_ == SOCK_STREAM && name == TCP_DEFER_ACCEPT) return &options.defer_accept;
    if (level == IPPROTO_IP && name == IP_RECVERR) return &options.receive_errors_v4;
    if (level == IPPROTO_IP && name == IP_PKTINFO) return &options.packet_info_v4;
    if (level != IPPROTO_IPV6 || domain_ != AF_INET6) return nullptr;
    switch (name) {
        case IPV6_RECVERR:
            return &options.receive_errors_v6;
        case IPV6_RECVPKTINFO:
            return &options.packet_info_v6;
        case IPV6_V6ONLY:
            return &options.v6_only;
        default:
            return nullptr;
    }
}

std::int64_t ip_socket::get_option(int level, int name, void* value, socklen_t* length) {
    if (level == SOL_SOCKET && name == SO_LINGER) {
        const socklen_t bytes = std::min<socklen_t>(*length, sizeof options.lingers);
        std::memcpy(value, &options.lingers, bytes);
        *length = bytes;
        return 0;
    }
    int found = 0;
    const int own_level = type_ == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    if (const int* option = find_option(level, name)) {
        found = *option;
    } else if (level == SOL_SOCKET && name == SO_TYPE) {
        found = type_;
    } else if (level == SOL_SOCKET && name == SO_DOMAIN) {
        found = domain_;
    } else if (level == SOL_SOCKET && name == SO_PROTOCOL) {
        found = is_unix() ? 0 : own_level;
    } else if (level == SOL_SOCKET && name == SO_ERROR) {
        found = take_error();
    } else if (level == SOL_SOCKET && name == SO_ACCEPTCONN) {
        found = listening() ? 1 : 0;
    } else if (level != SOL_SOCKET &&
               (is_unix() || (domain_ == AF_INET && level != IPPROTO_IP && level != own_level))) {
        return -EOPNOTSUPP;
    } else {
        return -ENOPROTOOPT;
    }
    *length = std::min<socklen_t>(*length, sizeof found);
    std::memcpy(value, &found, *length);
    return 0;
}

std::int64_t ip_socket::set_option(int level, int name, const void* value, socklen_t length) {
    if (is_unix() && level != SOL_SOCKET) return -EOPNOTSUPP;
    int wanted = 0;
    if (length < sizeof wanted) return -EINVAL;
    if (level == SOL_SOCKET && name == SO_LINGER) {
        if (length < sizeof options.lingers) return -EINVAL;
        std::memcpy(&options.lingers, value, sizeof options.lingers);
        return 0;
    }
    if (level == SOL_SOCKET && (name == SO_RCVBUFFORCE || name == SO_SNDBUFFORCE)) return -EPERM;
    int* option = find_option(level, name);
    if (!option) return -ENOPROTOOPT;
    std::memcpy(&wanted, value, sizeof wanted);
    if (option == &options.v6_only && has_port_) return -EINVAL;
    if (option == &options.receive_buffer || option == &options.send_buffer) {
        const int least = option == &options.receive_buffer ? receive_buffer_min : send_buffer_min;
        // Linux doubles it, for what it needs itself; a negative one is a very large one.
        *option = wanted < 0 || wanted > buffer_max ? 2 * buffer_max : std::max(2 * wanted, least);
        buffers_changed();
        return 0;
    }
    *option = wanted != 0 ? 1 : 0;
    return 0;
}

}  // namespace ringlet::testing::detail
