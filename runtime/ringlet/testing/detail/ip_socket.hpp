// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/open_file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

namespace ringlet::testing::detail {

// --- addresses ---

/// IPv6, or IPv4 mapped into it.
using ip_address = std::array<std::uint8_t, 16>;

inline constexpr ip_address any_v6{};
constexpr ip_address mapped(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}
inline constexpr ip_address any_v4 = mapped(0, 0, 0, 0);

bool is_v4(const ip_address& a) noexcept;
bool is_any(const ip_address& a) noexcept;
bool is_of_host(const ip_address& a) noexcept;
/// Where what is sent to `to` comes from, unless the socket says.
ip_address source_for(const ip_address& to) noexcept;

struct ip_endpoint {
    ip_address ip{};
    std::uint16_t port = 0;
    bool operator==(const ip_endpoint&) const = default;
};

std::string to_string(const ip_endpoint& e);

union any_sockaddr {
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
};

/// The sockaddr's length.
socklen_t fill(any_sockaddr& to, int domain, const ip_endpoint& e) noexcept;
void give(sockaddr* to, socklen_t* length, int domain, const ip_endpoint& e) noexcept;
/// 0 or -errno.
int take(ip_endpoint& to, int domain, const sockaddr* from, socklen_t length) noexcept;
bool is_unspecified(const sockaddr* address, socklen_t length) noexcept;

std::span<iovec> parts_of(const msghdr& message) noexcept;
std::size_t bytes_of(const msghdr& message) noexcept;

// --- ports ---

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
    std::uint16_t free_port();

private:
    static constexpr unsigned ephemeral_first = 32768;
    static constexpr unsigned ephemeral_last = 60999;

    std::unordered_map<std::uint16_t, port_users> users_;  // never walked: its order is not the seed's
    unsigned next_ = ephemeral_first;
};

struct network_state {
    port_table tcp;
    port_table udp;
    std::map<std::string, ip_socket*> unix_names;
    std::uint64_t next_inode = 1000;
};

using shared_state = std::shared_ptr<network_state>;

// --- what TCP and UDP share ---

struct socket_options {
    int reuse_address = 0;
    int reuse_port = 0;
    int keep_alive = 0;
    int no_delay = 0;
    int defer_accept = 0;  // taken, not acted upon: connections are handed out at once
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
    ip_socket(world& where, shared_state state, int domain, int type);
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

}  // namespace ringlet::testing::detail
