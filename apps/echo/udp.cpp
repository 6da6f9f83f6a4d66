// SPDX-License-Identifier: MIT
#include "echo/udp.hpp"

#include "common/port_in_use.hpp"
#include "common/system_error.hpp"
#include "echo/reply_batch.hpp"
#include "echo/source_cap.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/multishot_udp_socket.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

#include <linux/sock_diag.h>

namespace echo {
namespace {

namespace net = ringlet::net;

// Errors that ICMP messages cause, or a network that goes down: they concern datagrams of the past.
bool passes(const std::error_code& error) {
    switch (error.value()) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ENETDOWN:
        case EHOSTDOWN:
        case ENOPROTOOPT:
        case EPROTO:
        case EMSGSIZE:
        case EACCES:
            return true;
        default:
            return false;
    }
}

std::optional<std::uint64_t> dropped_by_kernel(ringlet::io::fd_ref socket) noexcept {
    std::array<std::uint32_t, SK_MEMINFO_VARS> told{};
    socklen_t length = sizeof told;
    if (ringlet::io::sys::getsockopt(socket.get(), SOL_SOCKET, SO_MEMINFO, told.data(), &length) != 0)
        return std::nullopt;
    return told[SK_MEMINFO_DROPS];
}

class server {
public:
    server(const options& how, udp_totals& totals, apps::printer& err, net::multishot_udp_socket& socket)
        : how_{how},
          totals_{totals},
          err_{err},
          socket_{socket},
          own_port_{socket.local_endpoint().port()},
          cap_{how.rate_per_source},
          replies_{socket.socket()} {}
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    // Cancelled or not: what was dropped is in the totals.
    ~server() { totals_.dropped = dropped_by_kernel(socket_.socket()); }

    ringlet::task<> run() {
        const auto told = [this](const net::datagram_lease& datagram, const std::error_code& error) {
            sent(datagram, error);
        };
        for (;;) {
            auto first = co_await ringlet::as_result(socket_.recv_lease());
            if (!first) {
                co_await endure(first.error());
                continue;
            }
            const auto now = cap_.active() ? ringlet::clock::now() : ringlet::clock::time_point{};
            received(*std::move(first), now);
            while (!replies_.full()) {
                auto more = socket_.try_recv_lease();
                if (!more) break;
                received(*std::move(more), now);
            }
            if (!replies_.try_send(told)) co_await replies_.send(told);
        }
    }

private:
    ringlet::task<> endure(std::error_code error) {
        ++totals_.failed;
        if (apps::is_shortage(error))
            co_await ringlet::sleep(std::chrono::milliseconds{10});
        else if (!passes(error))
            throw std::system_error{error, "receive on " + socket_.local_endpoint().to_string()};
    }

    void received(net::datagram_lease datagram, ringlet::clock::time_point now) {
        const net::endpoint from = datagram.from();
        if (may_loop(from.port(), own_port_)) {
            ++totals_.refused;
            note(datagram, "not answered: that port may answer in turn");
        } else if (!datagram.is_to_one()) {
            ++totals_.refused;
            note(datagram, "not answered: sent to many");
        } else if (datagram.truncated()) {  // more than UDP can carry to us
            ++totals_.failed;
            note(datagram, "too long");
        } else if (!cap_.admits(from, now)) {
            ++totals_.over_cap;
            note(datagram, "not answered: too many of this source");
        } else {
            replies_.add(std::move(datagram));
        }
    }

    void sent(const net::datagram_lease& datagram, const std::error_code& error) {
        if (error) {
            ++totals_.failed;
        } else {
            ++totals_.datagrams;
            totals_.bytes += datagram.size();
        }
        if (how_.verbose) note(datagram, error ? error.message() : "");
    }

    void note(const net::datagram_lease& datagram, std::string_view what) {
        if (!how_.verbose) return;
        err_.say("{}: {} bytes{}{}", datagram.from(), datagram.full_size(), what.empty() ? "" : ": ", what);
    }

    const options& how_;
    udp_totals& totals_;
    apps::printer& err_;
    net::multishot_udp_socket& socket_;
    std::uint16_t own_port_;
    source_cap cap_;
    reply_batch replies_;
};

}  // namespace

bool may_loop(std::uint16_t from_port, std::uint16_t own_port) noexcept {
    switch (from_port) {
        case 0:    // nobody
        case 7:    // echo
        case 9:    // discard, which may be somebody's echo
        case 13:   // daytime
        case 17:   // quote of the day
        case 19:   // character generator
        case 37:   // time
        case 53:   // DNS
        case 69:   // TFTP
        case 123:  // NTP
            return true;
        default:
            return from_port == own_port;  // ourselves, or one like us elsewhere
    }
}

std::string udp_totals::to_string(bool capped) const {
    std::string text =
        fmt::format("{} datagrams echoed, {} bytes, {} not answered, {} failed", datagrams, bytes, refused, failed);
    if (capped) text += fmt::format(", {} over the rate of their source", over_cap);
    if (dropped) text += fmt::format(", {} dropped by the kernel", *dropped);
    return text;
}

ringlet::task<> serve_udp(const options& how, udp_totals& totals, apps::standard_printers& print) {
    net::multishot_udp_socket socket{apps::bind_or_explain(
        "UDP", how.address, [](const net::endpoint& address) { return net::udp_socket::bind(address); })};
    if (!how.address.is_loopback()) socket.ask_for_destinations();
    server here{how, totals, print.err(), socket};
    print.out().say("Echoing UDP at {}", socket.local_endpoint());
    if (how.rate_per_source != 0 && !how.quiet)
        print.err().say("Each source gets at most {} answers a second (--rate-per-source)", how.rate_per_source);
    co_await here.run();
}

}  // namespace echo
