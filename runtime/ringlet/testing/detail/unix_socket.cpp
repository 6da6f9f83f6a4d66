// SPDX-License-Identifier: MIT
// The part of a stream socket that is unix(7)'s own. What Linux answers was asked of Linux 6.18.
#include <ringlet/testing/detail/tcp_socket.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <sys/un.h>
#include <unistd.h>

namespace ringlet::testing::detail {

int tcp_socket::take_unix(std::string& name, const sockaddr* from, socklen_t length) {
    constexpr std::size_t offset = offsetof(sockaddr_un, sun_path);
    if (length <= offset || length > sizeof(sockaddr_un) || from->sa_family != AF_UNIX) return -EINVAL;
    name.assign(reinterpret_cast<const char*>(from) + offset, length - offset);
    if (name.front() != '\0') name.resize(std::min(name.size(), name.find('\0')));
    return 0;
}

std::int64_t tcp_socket::give_unix(sockaddr* to, socklen_t* length, const std::string& name) noexcept {
    sockaddr_un whole{};
    whole.sun_family = AF_UNIX;
    std::memcpy(whole.sun_path, name.data(), std::min(name.size(), sizeof whole.sun_path));
    const bool is_path = !name.empty() && name.front() != '\0';
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (is_path ? 1 : 0));
    if (to) std::memcpy(to, &whole, std::min(*length, bytes));
    *length = bytes;
    return 0;
}

// A path is a name like the others here: no file, and it goes with its socket.
std::int64_t tcp_socket::bind_unix(const sockaddr* address, socklen_t length) {
    std::string name;
    if (const int failed = take_unix(name, address, length); failed != 0) return failed;
    if (!unix_name_.empty() || phase_ != phase::closed) return -EINVAL;
    if (!state()->unix_names.emplace(name, this).second) return -EADDRINUSE;
    unix_name_ = std::move(name);
    return 0;
}

std::int64_t tcp_socket::connect_unix(const sockaddr* address, socklen_t length) {
    std::string name;
    if (const int failed = take_unix(name, address, length); failed != 0) return failed;
    if (phase_ == phase::connected) return -EISCONN;
    if (phase_ == phase::listening) return -EINVAL;
    const auto found = state()->unix_names.find(name);
    if (found == state()->unix_names.end()) return name.front() == '\0' ? -ECONNREFUSED : -ENOENT;
    auto& listener = static_cast<tcp_socket&>(*found->second);
    if (!listener.listening() || where().happens(fault::connection_refused)) return -ECONNREFUSED;
    if (listener.accepted_.size() > listener.backlog_) return -EAGAIN;
    const auto kept = listener.shared_from_this();  // whoever waits may close it
    const auto client = std::static_pointer_cast<tcp_socket>(shared_from_this());
    const auto server = std::make_shared<tcp_socket>(where(), state(), AF_UNIX);
    server->waits_for_accept_ = true;
    server->unix_name_ = unix_peer_ = name;
    server->unix_peer_ = unix_name_;
    join(client, server);
    listener.accepted_.push_back(server);
    listener.changed();
    changed();
    return 0;
}

void tcp_socket::close_unix() {
    // What a listener accepted has its name, too, but not in the table.
    if (const auto found = state()->unix_names.find(unix_name_);
        found != state()->unix_names.end() && found->second == this)
        state()->unix_names.erase(found);
    if (phase_ != phase::connected) return;
    if (const auto peer = out_->reader.lock()) peer->peer_closed_unix(in_->arrived > 0 || waits_for_accept_);
}

void tcp_socket::peer_closed_unix(bool bytes_lost) {
    receive_shut_ = send_shut_ = true;
    if (bytes_lost) error_ = ECONNRESET;
    changed();
}

std::int64_t tcp_socket::get_option(int level, int name, void* value, socklen_t* length) {
    if (!is_unix() || level != SOL_SOCKET || name != SO_PEERCRED)
        return ip_socket::get_option(level, name, value, length);
    const ucred self{::getpid(), ::getuid(), ::getgid()};  // all are this process's
    *length = std::min<socklen_t>(*length, sizeof self);
    std::memcpy(value, &self, *length);
    return 0;
}

std::string tcp_socket::describe_unix() const {
    const auto readable = [](std::string name) {
        if (!name.empty() && name.front() == '\0') name.front() = '@';
        return name;
    };
    if (phase_ == phase::listening) return "Unix socket listening at " + readable(unix_name_);
    if (!unix_name_.empty()) return "Unix socket " + readable(unix_name_);
    return unix_peer_.empty() ? "Unix socket" : "Unix socket to " + readable(unix_peer_);
}

}  // namespace ringlet::testing::detail
