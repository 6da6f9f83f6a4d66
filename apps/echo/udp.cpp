// SPDX-License-Identifier: MIT
#include "echo/udp.hpp"

#include "common/port_in_use.hpp"
#include "echo/datagram_buffer.hpp"
#include <ringlet/io/op/recvmsg.hpp>
#include <ringlet/io/op/sendmsg.hpp>
#include <ringlet/net/udp_socket.hpp>
#include <ringlet/time/sleep.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace echo {
namespace {

namespace net = ringlet::net;

bool is_shortage(const std::error_code& error) {
    return error == std::errc::not_enough_memory || error == std::errc::no_buffer_space;
}

// Errors that ICMP messages cause: they concern one datagram of the past.
bool is_icmp(const std::error_code& error) {
    switch (error.value()) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
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

}  // namespace

bool may_loop(std::uint16_t from_port, std::uint16_t own_port) noexcept {
    switch (from_port) {
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

ringlet::task<> serve_udp(const options& how, udp_totals& totals, apps::standard_printers& print) {
    auto socket = apps::bind_or_explain("UDP", how.address,
                                        [](const net::endpoint& address) { return net::udp_socket::bind(address); });
    if (how.address.is_any()) datagram_buffer::ask_for_addresses(socket.socket(), how.address);
    const std::uint16_t own_port = socket.local_endpoint().port();
    datagram_buffer datagram;
    const auto note = [&](std::size_t bytes, std::string_view what) {
        if (!how.verbose) return;
        print.err().say("{}: {} bytes{}{}", datagram.sender(), bytes, what.empty() ? "" : ": ", what);
    };
    print.out().say("Echoing UDP at {}", socket.local_endpoint());
    for (;;) {
        auto received = co_await ringlet::as_result(ringlet::io::recvmsg_op{socket.socket(), datagram.empty()});
        if (!received) {
            const std::error_code error = received.error();
            if (is_shortage(error))
                co_await ringlet::sleep(std::chrono::milliseconds{10});
            else if (!is_icmp(error))
                throw std::system_error{error, "receive on " + socket.local_endpoint().to_string()};
            ++totals.failed;
            continue;
        }
        const std::size_t bytes = *received;
        if (may_loop(datagram.sender().port(), own_port)) {
            ++totals.refused;
            note(bytes, "not answered: that port may answer in turn");
            continue;
        }
        const auto sent = co_await ringlet::as_result(ringlet::io::sendmsg_op{socket.socket(), datagram.answer(bytes)});
        if (sent) {
            ++totals.datagrams;
            totals.bytes += bytes;
        } else {
            ++totals.failed;
        }
        note(bytes, sent ? "" : sent.error().message());
    }
}

}  // namespace echo
