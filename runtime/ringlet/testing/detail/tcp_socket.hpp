// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/byte_queue.hpp>
#include <ringlet/testing/detail/ip_socket.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include <sys/socket.h>

namespace ringlet::testing::detail {

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

/// A stream socket of TCP; with AF_UNIX, where all arrives at once, one of unix(7).
class tcp_socket final : public ip_socket {
public:
    tcp_socket(world& where, shared_state shared, int domain)
        : ip_socket{where, std::move(shared), domain, SOCK_STREAM} {}
    ~tcp_socket() override;

    std::string describe() const override;
    short ready_events() const noexcept override;
    std::int64_t bind(const sockaddr* address, socklen_t length) override {
        return is_unix() ? bind_unix(address, length) : ip_socket::bind(address, length);
    }
    std::int64_t local_address(sockaddr* to, socklen_t* length) const override {
        return is_unix() ? give_unix(to, length, unix_name_) : ip_socket::local_address(to, length);
    }
    std::int64_t get_option(int level, int name, void* value, socklen_t* length) override;
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

    // unix_socket.cpp
    static int take_unix(std::string& name, const sockaddr* from, socklen_t length);
    static std::int64_t give_unix(sockaddr* to, socklen_t* length, const std::string& name) noexcept;
    std::int64_t bind_unix(const sockaddr* address, socklen_t length);
    std::int64_t connect_unix(const sockaddr* address, socklen_t length);
    void close_unix();
    void peer_closed_unix(bool bytes_lost);
    std::string describe_unix() const;

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
    // As in sun_path: an abstract name begins with a zero byte.
    std::string unix_name_;
    std::string unix_peer_;
};

}  // namespace ringlet::testing::detail
