// SPDX-License-Identifier: MIT
#include "compare/chats/chat.hpp"

#include "chat/refusals.hpp"
#include "chat/text.hpp"
#include "common/port_in_use.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/os/standard_input.hpp>

#include <fmt/format.h>

namespace comparison {

namespace net = ringlet::net;

net::udp_socket open_chat(const net::endpoint& peer, std::uint16_t port) {
    const auto local = peer.is_v6() ? net::endpoint::any_v6(port) : net::endpoint::any_v4(port);
    return apps::bind_or_explain("UDP", local,
                                 [&peer](const net::endpoint& own) { return net::udp_socket::connect(peer, own); });
}

std::string greeting(const net::udp_socket& socket) {
    return fmt::format("Talking to {} from port {}.", socket.peer_endpoint(), socket.local_endpoint().port());
}

std::vector<std::string> lines_of(const net::endpoint& sender, std::span<const std::byte> text,
                                  std::size_t full_bytes) {
    if (full_bytes == 0) return {};
    std::vector<std::string> lines = chat::shown(ringlet::as_text(text), full_bytes);
    for (std::string& line : lines) line = fmt::format("{}: {}", sender, line);
    return lines;
}

std::vector<std::string_view> messages_of(std::string_view line) {
    return chat::messages_of(line, chat::message_bytes_max);
}

std::optional<std::string> complaints::refused(const std::error_code& why) {
    const std::lock_guard alone{lock_};
    const auto now = std::chrono::steady_clock::now();
    if (said_ && now - *said_ < std::chrono::seconds{1}) return std::nullopt;
    said_ = now;
    return chat::refusal_text(peer_, why.value());
}

std::string complaints::not_sent(const std::error_code& why) const {
    return fmt::format("Not sent to {}: {}", peer_, why.message());
}

std::string complaints::too_long() {
    return fmt::format("A line of more than {} bytes was not sent.", ringlet::line_reader::line_bytes_default);
}

}  // namespace comparison
