// SPDX-License-Identifier: MIT
// What Linux answers was asked of Linux 6.18 on its loopback.
#include <ringlet/testing/detail/tcp_socket.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

namespace ringlet::testing::detail {
namespace {

using namespace std::chrono_literals;

constexpr int backlog_max = 4096;  // net.core.somaxconn
constexpr int syn_retries = 6;     // net.ipv4.tcp_syn_retries

}  // namespace

tcp_socket::~tcp_socket() {
    if (is_unix()) {
        close_unix();
        return;
    }
    if (!out_ || phase_ == phase::closed) return;
    const bool unread_bytes = in_->arrived > 0;
    const bool abortive = options.lingers.l_onoff != 0 && options.lingers.l_linger == 0;
    if (abortive || unread_bytes || waits_for_accept_ || phase_ == phase::connecting)
        send_reset(true);
    else if (!send_shut_)
        send_fin();
}

std::string tcp_socket::describe() const {
    if (is_unix()) return describe_unix();
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
    if (phase_ == phase::connecting || phase_ == phase::connected || told_ != told::nothing) return -EINVAL;
    if (is_unix() && unix_name_.empty()) return -EINVAL;
    backlog_ = static_cast<std::size_t>(backlog < 0 ? backlog_max : std::min(backlog, backlog_max));
    if (phase_ == phase::listening) return 0;
    if (!is_unix() && !has_port() && !bind_to_free_port()) return -EADDRINUSE;
    if (!is_unix() && in_use(local().ip, local().port)) return -EADDRINUSE;
    receive_shut_ = send_shut_ = false;
    phase_ = phase::listening;
    return 0;
}

std::int64_t tcp_socket::connect(const sockaddr* address, socklen_t length) {
    if (is_unix()) return connect_unix(address, length);
    if (told_ == told::connected || phase_ == phase::listening) return -EISCONN;
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
    if (is_unix()) return give_unix(to, length, unix_peer_);
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

}  // namespace ringlet::testing::detail
