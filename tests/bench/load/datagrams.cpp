// SPDX-License-Identifier: MIT
// UDP: some datagrams under way on each of some sockets. Each bears its number, and the rest must be what belongs to that
// number; one that does not come back within a second is lost, and another takes its place.
#include "common/json_line.hpp"
#include "common/process.hpp"
#include "load/modes.hpp"
#include "load/pattern.hpp"
#include "load/sockets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t number_bytes = sizeof(std::uint64_t);
constexpr std::chrono::seconds patience{1};

class datagram_socket {
public:
    explicit datagram_socket(const load_options& options)
        : fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
        if (fd_ < 0) give_up(fmt::format("socket: {}", std::strerror(errno)));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(options.port);
        if (::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1)
            give_up(fmt::format("{} is no IPv4 address", options.host));
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            give_up(fmt::format("connect {}:{}: {}", options.host, options.port, std::strerror(errno)));
    }
    datagram_socket(datagram_socket&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    datagram_socket& operator=(datagram_socket&&) = delete;
    ~datagram_socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// Of one socket: the numbers that are under way. Number n is in place n modulo the count of places.
struct peer {
    std::vector<std::uint64_t> numbers;
    std::uint64_t rounds = 1;
    clock::time_point heard;
};

class datagram_loop {
public:
    explicit datagram_loop(const load_options& options)
        : options_{options},
          bytes_{options.message_bytes},
          places_{options.outstanding},
          room_(places_ * (options.message_bytes + 1)),
          received_(places_),
          received_parts_(places_),
          sent_(places_),
          sent_parts_(places_),
          sent_numbers_(places_),
          epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
        if (options_.server != 0) server_.emplace(options_.server);
        for (unsigned i = 0; i < options.connections; ++i) {
            sockets_.emplace_back(options_);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u32 = i;
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, sockets_.back().get(), &event) != 0)
                give_up(fmt::format("epoll_ctl: {}", std::strerror(errno)));
        }
        peers_.resize(options.connections);
        for (unsigned i = 0; i < places_; ++i) {
            // One byte more than was sent, so that a surplus one shows.
            received_parts_[i] = {room_.data() + i * (options.message_bytes + 1), options.message_bytes + 1};
            received_[i].msg_hdr.msg_iov = &received_parts_[i];
            received_[i].msg_hdr.msg_iovlen = 1;
            sent_[i].msg_hdr.msg_iov = sent_parts_[i].data();
            sent_[i].msg_hdr.msg_iovlen = 2;
        }
    }
    datagram_loop(const datagram_loop&) = delete;
    datagram_loop& operator=(const datagram_loop&) = delete;
    ~datagram_loop() { ::close(epoll_); }

    void run() {
        const auto begin = clock::now();
        for (std::uint32_t id = 0; id < options_.connections; ++id) fill(id, begin);
        serve_until(begin + std::chrono::duration_cast<clock::duration>(options_.warm_up));
        answers_ = 0;
        lost_ = 0;
        if (server_) cpu_before_ = server_->now();
        const auto start = clock::now();
        serve_until(start + std::chrono::duration_cast<clock::duration>(options_.duration));
        const auto cpu = server_ ? server_->now() - cpu_before_ : std::chrono::nanoseconds{};
        report(clock::now() - start, cpu);
    }

private:
    void serve_until(clock::time_point end) {
        std::array<epoll_event, 64> events;
        for (;;) {
            const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 200);
            if (count < 0 && errno != EINTR) give_up(fmt::format("epoll_wait: {}", std::strerror(errno)));
            const auto now = clock::now();
            for (int i = 0; i < count; ++i) serve(events[static_cast<std::size_t>(i)].data.u32, now);
            if (now >= next_look_) look_for_lost(now);
            if (enough(now, end)) return;
        }
    }
    [[nodiscard]] bool enough(clock::time_point now, clock::time_point end) const {
        return options_.messages != 0 ? answers_ >= options_.messages * options_.connections : now >= end;
    }

    void fill(std::uint32_t id, clock::time_point now) {
        peer& one = peers_[id];
        one.heard = now;
        one.numbers.clear();
        for (unsigned place = 0; place < places_; ++place) {
            one.numbers.push_back(one.rounds * places_ + place);
            sent_numbers_[place] = one.numbers.back();
        }
        ++one.rounds;
        send(id, places_);
    }

    void serve(std::uint32_t id, clock::time_point now) {
        peer& one = peers_[id];
        const int count = ::recvmmsg(sockets_[id].get(), received_.data(), places_, MSG_DONTWAIT, nullptr);
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) give_up(fmt::format("socket {}: recvmmsg: {}", id, std::strerror(errno)));
        one.heard = now;
        unsigned answered = 0;
        for (unsigned i = 0; i < static_cast<unsigned>(count); ++i)
            if (const auto number = check(id, one, i)) sent_numbers_[answered++] = *number;
        answers_ += answered;
        send(id, answered);
    }

    /// The next number for the place of an answer that is right; nothing for one that was given up as lost.
    std::optional<std::uint64_t> check(std::uint32_t id, peer& one, unsigned index) {
        const std::size_t size = received_[index].msg_len;
        const auto* const data = static_cast<const std::byte*>(received_parts_[index].iov_base);
        if (size != options_.message_bytes)
            give_up(fmt::format("wrong size: socket {}: {} bytes of {}", id, size, options_.message_bytes));
        std::uint64_t number = 0;
        std::memcpy(&number, data, number_bytes);
        std::uint64_t& expected = one.numbers[number % places_];
        if (const auto wrong = bytes_.mismatch(id, number, number_bytes, {data + number_bytes, size - number_bytes}))
            give_up(*wrong);
        if (number != expected) {
            if (number > expected || lost_ever_ == 0)
                give_up(fmt::format("wrong byte, or a doubled answer: socket {}: number {}", id, number));
            return std::nullopt;
        }
        expected = number + places_;
        one.rounds = std::max(one.rounds, expected / places_ + 1);
        return expected;
    }

    void send(std::uint32_t id, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            const auto rest = bytes_.message(id, sent_numbers_[i]).subspan(number_bytes);
            sent_parts_[i] = {{{&sent_numbers_[i], number_bytes}, {const_cast<std::byte*>(rest.data()), rest.size()}}};
        }
        for (unsigned done = 0; done < count;) {
            const int n = ::sendmmsg(sockets_[id].get(), sent_.data() + done, count - done, 0);
            if (n < 0) give_up(fmt::format("socket {}: sendmmsg: {}", id, std::strerror(errno)));
            done += static_cast<unsigned>(n);
        }
    }

    void look_for_lost(clock::time_point now) {
        next_look_ = now + patience / 4;
        for (std::uint32_t id = 0; id < options_.connections; ++id) {
            if (now - peers_[id].heard < patience) continue;
            lost_ += places_;
            lost_ever_ += places_;
            fill(id, now);
        }
    }

    void report(std::chrono::duration<double> wall, std::chrono::nanoseconds cpu) const {
        if (answers_ == 0) give_up("not one answer was measured");
        const auto count = static_cast<double>(answers_);
        json_line{}
            .add("mode", "datagrams")
            .add("sockets", std::uint64_t{options_.connections})
            .add("outstanding", std::uint64_t{places_})
            .add("bytes", static_cast<std::uint64_t>(options_.message_bytes))
            .add("requests", answers_)
            .add("lost", lost_)
            .add("seconds", wall.count())
            .add("requests_per_second", count / wall.count())
            .add("server_cpu_us_per_request", static_cast<double>(cpu.count()) / 1000.0 / count)
            .add("server_cpu_share", static_cast<double>(cpu.count()) / 1e9 / wall.count())
            .add("errors", std::uint64_t{0})
            .print();
    }

    load_options options_;
    pattern bytes_;
    unsigned places_;
    std::vector<std::byte> room_;
    std::vector<mmsghdr> received_;
    std::vector<iovec> received_parts_;
    std::vector<mmsghdr> sent_;
    std::vector<std::array<iovec, 2>> sent_parts_;
    std::vector<std::uint64_t> sent_numbers_;
    std::vector<datagram_socket> sockets_;
    std::vector<peer> peers_;
    std::optional<cpu_clock> server_;
    int epoll_;
    std::uint64_t answers_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t lost_ever_ = 0;
    clock::time_point next_look_{};
    std::chrono::nanoseconds cpu_before_{};
};

}  // namespace

void run_datagrams(const load_options& options) {
    if (options.message_bytes <= number_bytes || options.message_bytes > 65'507 || options.outstanding == 0)
        give_up("datagrams have 9 to 65507 bytes, and one or more are under way");
    datagram_loop{options}.run();
}

}  // namespace bench
