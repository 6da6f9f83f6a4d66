// SPDX-License-Identifier: MIT
// What Linux answers was asked of Linux 6.18 on its loopback.
#include <ringlet/testing/detail/byte_queue.hpp>
#include <ringlet/testing/detail/network.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <compare>
#include <cstring>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

namespace ringlet::testing::detail {
namespace {

using namespace std::chrono_literals;

constexpr int receive_buffer_min = 2304;
constexpr int send_buffer_min = 4608;
constexpr int buffer_max = 4 * 1024 * 1024;  // net.core.rmem_max
constexpr int tcp_buffer = 128 * 1024;
constexpr int datagram_buffer = 212992;
constexpr int datagram_overhead = 768;
constexpr int backlog_max = 4096;            // net.core.somaxconn
constexpr std::size_t sin6_length_min = 24;  // SIN6_LEN_RFC2133: without the scope
constexpr int syn_retries = 6;               // net.ipv4.tcp_syn_retries
constexpr unsigned ephemeral_first = 32768;
constexpr unsigned ephemeral_last = 60999;

// --- addresses ---

/// IPv6, or IPv4 mapped into it.
using ip_address = std::array<std::uint8_t, 16>;

constexpr ip_address any_v6{};
constexpr ip_address loopback_v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr ip_address mapped(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}
constexpr ip_address any_v4 = mapped(0, 0, 0, 0);

bool is_v4(const ip_address& a) noexcept { return std::equal(a.begin(), a.begin() + 12, any_v4.begin()); }
bool is_any(const ip_address& a) noexcept { return a == any_v4 || a == any_v6; }
bool is_of_host(const ip_address& a) noexcept {
    if (is_v4(a)) return a == any_v4 || a[12] == 127 || a[12] == 10;
    return a == any_v6 || a == loopback_v6;
}

/// Where what is sent to `to` comes from, unless the socket says.
ip_address source_for(const ip_address& to) noexcept {
    if (!is_v4(to)) return loopback_v6;
    return to[12] == 10 ? mapped(10, 0, 0, 1) : mapped(127, 0, 0, 1);
}

struct ip_endpoint {
    ip_address ip{};
    std::uint16_t port = 0;
    bool operator==(const ip_endpoint&) const = default;
};

std::string to_string(const ip_endpoint& e) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (!is_v4(e.ip))
        return fmt::format("[{}]:{}", ::inet_ntop(AF_INET6, e.ip.data(), text.data(), text.size()), e.port);
    return fmt::format("{}:{}", ::inet_ntop(AF_INET, e.ip.data() + 12, text.data(), text.size()), e.port);
}

union any_sockaddr {
    sockaddr_in v4;
    sockaddr_in6 v6;
};

/// The sockaddr's length.
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

/// 0 or -errno.
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

class ip_socket;

/// Who uses a port of TCP or of UDP.
struct port_users {
    std::vector<ip_socket*> bound;     ///< in the order of bind
    std::vector<ip_socket*> accepted;  ///< apart from the others: nobody looks for them, and they are many
};

class port_table {
public:
    const port_users* find(std::uint16_t port) const {
        const auto found = users_.find(port);
        return found == users_.end() ? nullptr : &found->second;
    }
    void add(ip_socket& who, std::uint16_t port) { users_[port].bound.push_back(&who); }
    /// Where in `accepted` it is, until another is removed.
    std::size_t add_accepted(ip_socket& who, std::uint16_t port) {
        auto& all = users_[port].accepted;
        all.push_back(&who);
        return all.size() - 1;
    }
    void remove(ip_socket& who, std::uint16_t port);
    /// 0 when none is free.
    std::uint16_t free_port() {
        for (unsigned tries = 0; tries <= ephemeral_last - ephemeral_first; ++tries) {
            const unsigned port = next_;
            next_ = next_ == ephemeral_last ? ephemeral_first : next_ + 1;
            if (!users_.contains(static_cast<std::uint16_t>(port))) return static_cast<std::uint16_t>(port);
        }
        return 0;
    }

private:
    std::unordered_map<std::uint16_t, port_users> users_;  // never walked: its order is not the seed's
    unsigned next_ = ephemeral_first;
};

}  // namespace

struct network_state {
    port_table tcp;
    port_table udp;
    std::uint64_t next_inode = 1000;
};

namespace {

using shared_state = std::shared_ptr<network_state>;

// --- what TCP and UDP share ---

struct socket_options {
    int reuse_address = 0;
    int reuse_port = 0;
    int keep_alive = 0;
    int no_delay = 0;
    int v6_only = 0;
    int receive_errors_v4 = 0;
    int receive_errors_v6 = 0;
    int packet_info_v4 = 0;
    int packet_info_v6 = 0;
    int receive_buffer = 0;
    int send_buffer = 0;
    linger lingers{};
};

class ip_socket : public open_file {
public:
    ip_socket(world& where, shared_state state, int domain, int type)
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
    ~ip_socket() override { release_port(); }

    std::int64_t stat(struct stat& info) const noexcept override {
        info = {};
        info.st_mode = S_IFSOCK | 0777;
        info.st_ino = inode_;
        info.st_dev = 8;
        info.st_nlink = 1;
        info.st_blksize = 4096;
        return 0;
    }
    std::int64_t read(std::span<std::byte> to, std::int64_t offset) override {
        if (offset != -1 && offset != 0) return -ESPIPE;
        return to.empty() ? 0 : take_bytes(to, 0);
    }
    std::int64_t peek(std::span<std::byte> to) override { return take_bytes(to, MSG_PEEK); }
    std::int64_t take_bytes(std::span<std::byte> to, int flags) {
        iovec part{to.data(), to.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        return receive(message, flags);
    }
    std::int64_t write(std::span<const std::byte> from, std::int64_t offset) override {
        if (offset != -1 && offset != 0) return -ESPIPE;
        iovec part{const_cast<std::byte*>(from.data()), from.size()};  // an iovec has no const
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        return send(message, 0);
    }
    std::int64_t ioctl(unsigned long request, void* argument) override;

    std::int64_t bind(const sockaddr* address, socklen_t length) override;
    std::int64_t local_address(sockaddr* to, socklen_t* length) const override {
        if (domain_ == AF_UNIX) return give_unix(to, length);
        give(to, length, domain_, local_);
        return 0;
    }
    std::int64_t get_option(int level, int name, void* value, socklen_t* length) override;
    std::int64_t set_option(int level, int name, const void* value, socklen_t length) override;

    const ip_endpoint& local() const noexcept { return local_; }
    virtual bool listening() const noexcept { return false; }
    /// Whether what is for `to` is for this socket, as to the address.
    bool covers(const ip_address& to) const noexcept { return covers(local_.ip, to); }
    std::size_t accepted_place = 0;
    bool is_accepted = false;
    socket_options options;

protected:
    /// Bytes to be read, and bytes that have not arrived; or -errno.
    virtual std::int64_t unread() const noexcept = 0;
    virtual std::int64_t not_arrived() const noexcept = 0;
    virtual void buffers_changed() {}

    port_table& ports() const noexcept { return type_ == SOCK_STREAM ? state_->tcp : state_->udp; }
    const shared_state& state() const noexcept { return state_; }
    int domain() const noexcept { return domain_; }
    bool is_unix() const noexcept { return domain_ == AF_UNIX; }
    std::string name() const { return type_ == SOCK_STREAM ? "TCP" : "UDP"; }
    static std::int64_t give_unix(sockaddr* to, socklen_t* length) noexcept {
        const sa_family_t family = AF_UNIX;
        if (to) std::memcpy(to, &family, std::min<std::size_t>(*length, sizeof family));
        *length = sizeof family;
        return 0;
    }

    int take_error() noexcept { return std::exchange(error_, 0); }
    bool in_use(const ip_address& ip, std::uint16_t port) const noexcept;
    bool has_port() const noexcept { return has_port_; }
    bool bound_by_user() const noexcept { return bound_by_user_; }
    /// The address that bind was told.
    const ip_address& chosen_ip() const noexcept { return chosen_ip_; }
    /// Whether it may send to there; the destination "any" is the loopback.
    int check_destination(ip_endpoint& to) const noexcept;
    bool bind_to_free_port();
    void release_port() noexcept {
        if (!std::exchange(has_port_, false)) return;
        ports().remove(*this, local_.port);
    }
    void share_port_of(const ip_socket& listener, const ip_endpoint& local) {
        options = listener.options;
        local_ = local;
        is_accepted = true;
        has_port_ = true;
        accepted_place = ports().add_accepted(*this, local_.port);
    }

    ip_endpoint& local_mutable() noexcept { return local_; }
    int error_ = 0;

private:
    bool covers(const ip_address& mine, const ip_address& to) const noexcept {
        if (mine == to) return true;
        if (!is_any(mine)) return false;
        return is_v4(mine) ? is_v4(to) : options.v6_only == 0 || !is_v4(to);
    }
    int* find_option(int level, int name) noexcept;

    shared_state state_;
    int domain_;
    int type_;
    std::uint64_t inode_;
    ip_endpoint local_;
    ip_address chosen_ip_;
    bool has_port_ = false;
    bool bound_by_user_ = false;
};

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
    if (is_unix()) return -EINVAL;
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

// --- TCP ---

class tcp_socket;

/// One direction of a connection.
struct byte_stream {
    byte_queue bytes;
    std::size_t arrived = 0;  ///< of `bytes`; the others are on their way
    std::size_t receive_buffer = 0;
    std::size_t send_buffer = 0;
    deadline last_arrival{};
    bool broken = false;  ///< nothing arrives any more
    std::weak_ptr<tcp_socket> writer;
    std::weak_ptr<tcp_socket> reader;

    std::size_t room() const noexcept {
        const std::size_t window = std::min(receive_buffer, send_buffer);
        return bytes.size() < window ? window - bytes.size() : 0;
    }
    void drop_all() noexcept {
        bytes.clear();
        arrived = 0;
    }
};
using shared_stream = std::shared_ptr<byte_stream>;

class tcp_socket final : public ip_socket {
public:
    tcp_socket(world& where, shared_state shared, int domain)
        : ip_socket{where, std::move(shared), domain, SOCK_STREAM} {}
    ~tcp_socket() override;

    std::string describe() const override;
    short ready_events() const noexcept override;
    std::int64_t listen(int backlog) override;
    std::int64_t connect(const sockaddr* address, socklen_t length) override;
    std::int64_t accept(std::shared_ptr<open_file>& out) override;
    std::int64_t shutdown(int how) override;
    std::int64_t peer_address(sockaddr* to, socklen_t* length) const override;
    std::int64_t receive(msghdr& message, int flags) override;
    std::int64_t send(const msghdr& message, int flags) override;

    bool listening() const noexcept override { return phase_ == phase::listening; }
    /// socketpair(2).
    static void join(const std::shared_ptr<tcp_socket>& a, const std::shared_ptr<tcp_socket>& b);

private:
    enum class phase : std::uint8_t { closed, listening, connecting, connected };
    /// What a further connect() says depends on what the last one has said.
    enum class told : std::uint8_t { nothing, in_progress, connected };

    std::int64_t unread() const noexcept override;
    std::int64_t not_arrived() const noexcept override;
    void buffers_changed() override;

    std::weak_ptr<tcp_socket> self() { return std::static_pointer_cast<tcp_socket>(shared_from_this()); }
    static void link(const std::shared_ptr<tcp_socket>& a, const std::shared_ptr<tcp_socket>& b);
    static shared_stream make_stream(const std::shared_ptr<tcp_socket>& from, const std::shared_ptr<tcp_socket>& to);
    /// After what is on its way in `stream`.
    deadline next_arrival(byte_stream& stream) {
        return stream.last_arrival = std::max(stream.last_arrival, where().now() + where().latency());
    }

    void send_syn(int attempt);
    void syn_arrives(int attempt, deadline sent);
    tcp_socket* find_listener() const;
    void take_connection(const std::shared_ptr<tcp_socket>& client);
    void fail(int error);
    void disconnect();

    void bytes_arrive(const shared_stream& stream, std::size_t count);
    void send_fin();
    void fin_arrives();
    void send_reset(bool in_order);
    void reset_arrives();
    void peer_of_pair_closed(bool unread_bytes);
    std::int64_t break_connection();
    void close_if_over();
    void close_down();

    phase phase_ = phase::closed;
    told told_ = told::nothing;
    bool receive_shut_ = false;
    bool send_shut_ = false;
    bool fin_received_ = false;
    bool fin_delivered_ = false;
    bool waits_for_accept_ = false;
    bool is_refused_ = false;
    std::uint64_t connects_ = 0;
    ip_endpoint peer_;
    shared_stream in_;
    shared_stream out_;
    std::size_t backlog_ = 0;
    std::deque<std::shared_ptr<tcp_socket>> accepted_;
};

tcp_socket::~tcp_socket() {
    if (!out_ || phase_ == phase::closed) return;
    const bool unread_bytes = in_->arrived > 0;
    if (is_unix()) {
        if (const auto peer = out_->reader.lock()) peer->peer_of_pair_closed(unread_bytes);
        return;
    }
    const bool abortive = options.lingers.l_onoff != 0 && options.lingers.l_linger == 0;
    if (abortive || unread_bytes || waits_for_accept_ || phase_ == phase::connecting)
        send_reset(true);
    else if (!send_shut_)
        send_fin();
}

std::string tcp_socket::describe() const {
    if (is_unix()) return "socket pair";
    if (phase_ == phase::listening) return fmt::format("TCP listening at {}", to_string(local()));
    if (phase_ != phase::closed || out_) return fmt::format("TCP {} to {}", to_string(local()), to_string(peer_));
    return fmt::format("TCP {}", to_string(local()));
}

short tcp_socket::ready_events() const noexcept {
    if (phase_ == phase::listening) return accepted_.empty() ? short{0} : readable;
    int events = 0;
    if (error_ != 0) events |= POLLERR;
    if (phase_ == phase::closed || (receive_shut_ && send_shut_)) events |= POLLHUP;
    if (receive_shut_) events |= readable | POLLRDHUP;
    if (phase_ == phase::connecting) return static_cast<short>(events);
    if (in_ && in_->arrived > 0) events |= readable;
    if (!out_ || send_shut_ || out_->room() > 0) events |= writable;
    return static_cast<short>(events);
}

std::int64_t tcp_socket::unread() const noexcept {
    if (phase_ == phase::listening) return -EINVAL;
    return in_ ? static_cast<std::int64_t>(in_->arrived) : 0;
}

std::int64_t tcp_socket::not_arrived() const noexcept {
    if (phase_ == phase::listening) return -EINVAL;
    return out_ && phase_ == phase::connected ? static_cast<std::int64_t>(out_->bytes.size() - out_->arrived) : 0;
}

void tcp_socket::buffers_changed() {
    if (!out_) return;
    in_->receive_buffer = static_cast<std::size_t>(options.receive_buffer);
    out_->send_buffer = static_cast<std::size_t>(options.send_buffer);
}

shared_stream tcp_socket::make_stream(const std::shared_ptr<tcp_socket>& from, const std::shared_ptr<tcp_socket>& to) {
    auto made = std::make_shared<byte_stream>();
    made->receive_buffer = static_cast<std::size_t>(to->options.receive_buffer);
    made->send_buffer = static_cast<std::size_t>(from->options.send_buffer);
    made->writer = from;
    made->reader = to;
    return made;
}

void tcp_socket::link(const std::shared_ptr<tcp_socket>& a, const std::shared_ptr<tcp_socket>& b) {
    a->out_ = b->in_ = make_stream(a, b);
    b->out_ = a->in_ = make_stream(b, a);
}

void tcp_socket::join(const std::shared_ptr<tcp_socket>& a, const std::shared_ptr<tcp_socket>& b) {
    link(a, b);
    a->phase_ = b->phase_ = phase::connected;
    a->told_ = b->told_ = told::connected;
}

// --- TCP: connections begin ---

std::int64_t tcp_socket::listen(int backlog) {
    if (is_unix() || phase_ == phase::connecting || phase_ == phase::connected || told_ != told::nothing)
        return -EINVAL;
    backlog_ = static_cast<std::size_t>(backlog < 0 ? backlog_max : std::min(backlog, backlog_max));
    if (phase_ == phase::listening) return 0;
    if (!has_port() && !bind_to_free_port()) return -EADDRINUSE;
    if (in_use(local().ip, local().port)) return -EADDRINUSE;
    receive_shut_ = send_shut_ = false;
    phase_ = phase::listening;
    return 0;
}

std::int64_t tcp_socket::connect(const sockaddr* address, socklen_t length) {
    if (is_unix() || told_ == told::connected || phase_ == phase::listening) return -EISCONN;
    if (told_ == told::in_progress) {
        if (phase_ == phase::connecting) return -EALREADY;
        if (phase_ == phase::connected) {
            told_ = told::connected;
            return 0;
        }
        const int error = take_error();
        disconnect();
        return error != 0 ? -error : -ECONNABORTED;
    }
    if (is_unspecified(address, length)) return 0;
    ip_endpoint to;
    if (const int failed = take(to, domain(), address, length); failed != 0) return failed;
    if (const int failed = check_destination(to); failed != 0) return failed;
    if (!has_port() && !bind_to_free_port()) return -EADDRNOTAVAIL;
    if (is_any(local().ip)) local_mutable().ip = source_for(to.ip);
    peer_ = to;
    phase_ = phase::connecting;
    told_ = told::in_progress;
    is_refused_ = where().happens(fault::connection_refused);
    ++connects_;
    send_syn(0);
    return -EINPROGRESS;
}

void tcp_socket::send_syn(int attempt) {
    where().after(where().latency(), [who = self(), attempt, which = connects_, sent = where().now()] {
        const auto client = who.lock();
        if (client && client->connects_ == which && client->phase_ == phase::connecting)
            client->syn_arrives(attempt, sent);
    });
}

void tcp_socket::syn_arrives(int attempt, deadline sent) {
    const auto client = std::static_pointer_cast<tcp_socket>(shared_from_this());
    const auto later = [&](deadline when, auto what) {
        where().at(when, [who = self(), which = connects_, what] {
            const auto connecting = who.lock();
            if (connecting && connecting->connects_ == which && connecting->phase_ == phase::connecting)
                what(*connecting);
        });
    };
    tcp_socket* listener = is_refused_ ? nullptr : find_listener();
    if (!listener) {
        later(where().now() + where().latency(), [](tcp_socket& c) { c.fail(ECONNREFUSED); });
    } else if (listener->accepted_.size() <= listener->backlog_) {
        listener->take_connection(client);
    } else {  // dropped: the client's timer runs out
        later(sent + (1 << attempt) * 1s, [attempt](tcp_socket& c) {
            if (attempt < syn_retries)
                c.send_syn(attempt + 1);
            else
                c.fail(ETIMEDOUT);
        });
    }
}

tcp_socket* tcp_socket::find_listener() const {
    const port_users* users = ports().find(peer_.port);
    if (!users) return nullptr;
    std::vector<tcp_socket*> best;  // several with SO_REUSEPORT
    int best_score = -1;
    for (ip_socket* user : users->bound) {
        if (!user->listening() || !user->covers(peer_.ip)) continue;
        auto* candidate = static_cast<tcp_socket*>(user);
        const int score = (is_any(user->local().ip) ? 0 : 2) + (candidate->domain() == AF_INET ? 1 : 0);
        if (score > best_score) best.clear();
        if (score >= best_score) best.push_back(candidate);
        best_score = std::max(score, best_score);
    }
    if (best.empty()) return nullptr;
    return best.size() == 1 ? best.front() : best[where().below(best.size())];
}

void tcp_socket::take_connection(const std::shared_ptr<tcp_socket>& client) {
    const auto kept = shared_from_this();  // whoever waits may close it
    auto server = std::make_shared<tcp_socket>(where(), state(), domain());
    server->share_port_of(*this, client->peer_);
    server->peer_ = client->local();
    server->phase_ = phase::connected;
    server->told_ = told::connected;
    server->waits_for_accept_ = true;
    link(client, server);
    accepted_.push_back(std::move(server));
    where().at(next_arrival(*client->in_), [stream = client->in_] {
        const auto reader = stream->reader.lock();
        if (!reader || reader->in_ != stream || reader->phase_ != phase::connecting) return;
        reader->phase_ = phase::connected;
        reader->changed();
    });
    changed();
}

void tcp_socket::fail(int error) {
    error_ = error;
    close_down();
    changed();
}

/// Linux's tcp_disconnect(): the socket is as it was after bind.
void tcp_socket::disconnect() {
    if (out_ && phase_ != phase::closed) send_reset(true);
    accepted_.clear();
    phase_ = phase::closed;
    told_ = told::nothing;
    receive_shut_ = send_shut_ = fin_received_ = fin_delivered_ = false;
    in_.reset();
    out_.reset();
    if (!bound_by_user()) {
        release_port();
        local_mutable().port = 0;
    }
    local_mutable().ip = chosen_ip();
}

std::int64_t tcp_socket::accept(std::shared_ptr<open_file>& out) {
    if (phase_ != phase::listening) return -EINVAL;
    if (accepted_.empty()) return -EAGAIN;
    accepted_.front()->waits_for_accept_ = false;
    out = std::move(accepted_.front());
    accepted_.pop_front();
    return 0;
}

std::int64_t tcp_socket::peer_address(sockaddr* to, socklen_t* length) const {
    if (phase_ != phase::connected) return -ENOTCONN;
    if (is_unix()) return give_unix(to, length);
    give(to, length, domain(), peer_);
    return 0;
}

// --- TCP: bytes ---

std::int64_t tcp_socket::receive(msghdr& message, int flags) {
    message.msg_namelen = 0;
    message.msg_controllen = 0;
    message.msg_flags = 0;
    if ((flags & MSG_ERRQUEUE) != 0) return -EAGAIN;
    if ((flags & MSG_OOB) != 0) return -EINVAL;
    if (phase_ == phase::connected && !is_unix() && !fin_received_ && where().happens(fault::connection_reset)) {
        in_->drop_all();
        return break_connection();
    }
    if (phase_ == phase::listening) return -ENOTCONN;
    if (in_ && in_->arrived > 0) {
        std::size_t taken = 0;
        for (const iovec& part : parts_of(message)) {
            const std::size_t bytes = std::min(part.iov_len, in_->arrived - taken);
            in_->bytes.copy(taken, {static_cast<std::byte*>(part.iov_base), bytes});
            taken += bytes;
        }
        if ((flags & MSG_PEEK) != 0) return static_cast<std::int64_t>(taken);
        const bool was_full = in_->room() == 0;
        in_->bytes.consume(taken);
        in_->arrived -= taken;
        if (was_full && in_->room() > 0) {
            if (const auto writer = in_->writer.lock()) writer->changed();
        }
        return static_cast<std::int64_t>(taken);
    }
    if (fin_received_) return 0;
    if (const int error = take_error(); error != 0) return -error;
    if (receive_shut_) return 0;
    if (phase_ == phase::closed) return -ENOTCONN;
    return -EAGAIN;  // also who wants nothing waits for something
}

std::int64_t tcp_socket::send(const msghdr& message, int) {
    if (phase_ == phase::connecting && error_ == 0) return -EAGAIN;
    if (phase_ != phase::connected || send_shut_ || error_ != 0) {
        const int error = is_unix() ? 0 : take_error();
        return error != 0 ? -error : -EPIPE;
    }
    if (!is_unix() && where().happens(fault::connection_reset)) return break_connection();
    const std::size_t wanted = bytes_of(message);
    const std::size_t count = std::min(wanted, out_->room());
    if (count == 0) return wanted == 0 ? 0 : -EAGAIN;
    std::size_t left = count;
    for (const iovec& part : parts_of(message)) {
        const std::size_t bytes = std::min(part.iov_len, left);
        out_->bytes.append({static_cast<const std::byte*>(part.iov_base), bytes});
        left -= bytes;
    }
    if (is_unix())
        bytes_arrive(out_, count);
    else
        where().at(next_arrival(*out_), [stream = out_, count] {
            // Whoever is left answers: the socket that these are for may be gone.
            auto witness = stream->reader.lock();
            if (!witness) witness = stream->writer.lock();
            if (witness) witness->bytes_arrive(stream, count);
        });
    return static_cast<std::int64_t>(count);
}

void tcp_socket::bytes_arrive(const shared_stream& stream, std::size_t count) {
    if (stream->broken) return;
    if (const auto reader = stream->reader.lock()) {
        stream->arrived += count;
        reader->changed();
        return;
    }
    where().after(where().latency(), [stream] {
        const auto writer = stream->writer.lock();
        if (writer && writer->out_ == stream) writer->reset_arrives();
    });
}

// --- TCP: connections end ---

std::int64_t tcp_socket::shutdown(int how) {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) return -EINVAL;
    if (phase_ == phase::closed) return -ENOTCONN;
    const bool receiving = how != SHUT_WR;
    const bool sending = how != SHUT_RD;
    if (phase_ == phase::listening && !receiving) return 0;
    if (phase_ != phase::connected) {
        disconnect();
        changed();
        return 0;
    }
    if (receiving) receive_shut_ = true;
    if (sending && !std::exchange(send_shut_, true) && !is_unix()) send_fin();
    if (is_unix()) {
        if (const auto peer = out_->reader.lock()) {
            if (sending) peer->receive_shut_ = peer->fin_received_ = true;
            if (receiving) peer->send_shut_ = true;
            peer->changed();
        }
    }
    changed();
    return 0;
}

void tcp_socket::send_fin() {
    where().at(next_arrival(*out_), [stream = out_] {
        if (const auto writer = stream->writer.lock(); writer && writer->out_ == stream) {
            writer->fin_delivered_ = true;
            writer->close_if_over();
        }
        if (const auto reader = stream->reader.lock(); reader && reader->in_ == stream) reader->fin_arrives();
    });
}

void tcp_socket::fin_arrives() {
    if (phase_ != phase::connected) return;
    fin_received_ = true;
    receive_shut_ = true;
    close_if_over();
    changed();
}

void tcp_socket::close_if_over() {
    if (phase_ != phase::connected || !fin_received_ || !fin_delivered_) return;
    phase_ = phase::closed;
    send_shut_ = true;
    if (!bound_by_user()) release_port();
}

/// Out of order it overtakes what is on its way, which is then lost.
void tcp_socket::send_reset(bool in_order) {
    const deadline when = in_order ? next_arrival(*out_) : where().now() + where().latency();
    where().at(when, [stream = out_] {
        if (const auto reader = stream->reader.lock(); reader && reader->in_ == stream) reader->reset_arrives();
    });
}

void tcp_socket::reset_arrives() {
    if (phase_ != phase::connected && phase_ != phase::connecting) return;
    if (phase_ == phase::connecting)
        fail(ECONNREFUSED);
    else
        fail(fin_received_ ? EPIPE : ECONNRESET);
}

/// fault::connection_reset
std::int64_t tcp_socket::break_connection() {
    const std::int64_t result = fin_received_ ? -EPIPE : -ECONNRESET;
    send_reset(false);
    close_down();
    changed();
    return result;
}

void tcp_socket::close_down() {
    phase_ = phase::closed;
    receive_shut_ = send_shut_ = true;
    if (in_) in_->broken = true;
    if (!bound_by_user()) release_port();
}

void tcp_socket::peer_of_pair_closed(bool unread_bytes) {
    receive_shut_ = send_shut_ = true;
    if (unread_bytes) error_ = ECONNRESET;
    changed();
}

// --- UDP ---

class udp_socket;

struct datagram {
    ip_endpoint from;
    ip_endpoint to;
    std::vector<std::byte> bytes;
    std::weak_ptr<udp_socket> sender;

    int cost() const noexcept { return static_cast<int>(bytes.size()) + datagram_overhead; }
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

}  // namespace

network::network(world& where) : world_{&where}, state_{std::make_shared<network_state>()} {}

std::int64_t network::socket(int domain, int type, int protocol, std::shared_ptr<open_file>& out) {
    constexpr int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    const int kind = type & ~flags;
    if (kind < 0 || kind > SOCK_PACKET) return -EINVAL;
    if (domain != AF_INET && domain != AF_INET6) return -EAFNOSUPPORT;
    if (protocol < 0 || protocol >= IPPROTO_MAX) return -EINVAL;
    if (kind == SOCK_RAW && protocol == 0) return -EPROTONOSUPPORT;
    if (kind != SOCK_STREAM && kind != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
    if (protocol != 0 && protocol != (kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)) return -EPROTONOSUPPORT;
    if (kind == SOCK_STREAM)
        out = std::make_shared<tcp_socket>(*world_, state_, domain);
    else
        out = std::make_shared<udp_socket>(*world_, state_, domain);
    out->status_flags = O_RDWR | ((type & SOCK_NONBLOCK) != 0 ? O_NONBLOCK : 0);
    return 0;
}

std::int64_t network::socket_pair(std::shared_ptr<open_file>& a, std::shared_ptr<open_file>& b) {
    const auto first = std::make_shared<tcp_socket>(*world_, state_, AF_UNIX);
    const auto second = std::make_shared<tcp_socket>(*world_, state_, AF_UNIX);
    first->status_flags = second->status_flags = O_RDWR;
    tcp_socket::join(first, second);
    a = first;
    b = second;
    return 0;
}

}  // namespace ringlet::testing::detail
