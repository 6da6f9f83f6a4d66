// SPDX-License-Identifier: MIT
// Two threads, as in the course: one waits for what comes and prints it, the other waits for what is typed and sends it. The
// kernel switches between them whenever it likes, so what both touch has a lock. A thread that waits cannot be told to stop:
// here it is the socket that is told to hear no more.
#include "chat/text.hpp"
#include "common/system_error.hpp"
#include "compare/chats/chat.hpp"
#include "compare/sockets.hpp"
#include <ringlet/os/standard_input.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

namespace comparison {
namespace {

namespace net = ringlet::net;

void print(const std::string& line) {
    fmt::print("{}\n", line);
    if (std::fflush(stdout) == 0) return;
    const bool reader_has_gone = errno == EPIPE;
    if (!reader_has_gone) fmt::print(stderr, "standard output: {}\n", apps::last_error().message());
    ::_exit(reader_has_gone ? 128 + SIGPIPE : 1);  // the other thread waits for somebody who types
}

void complain(complaints& all, const std::error_code& refused) {
    if (const auto words = all.refused(refused)) fmt::print(stderr, "{}\n", *words);
}

void show_incoming(int socket, complaints& all) {
    std::array<std::byte, chat::message_bytes_max> block;
    for (;;) {
        net::endpoint sender;
        socklen_t length = net::endpoint::buffer_bytes;
        const ssize_t bytes = ::recvfrom(socket, block.data(), block.size(), MSG_TRUNC, &sender.buffer(), &length);
        if (bytes == 0 && length == 0) return;  // nobody sent this: it is the end
        if (bytes < 0) {
            const std::error_code why = apps::last_error();
            complain(all, why);
            if (why != std::errc::connection_refused)
                std::this_thread::sleep_for(std::chrono::milliseconds{10});  // memory is short
            continue;
        }
        const auto full_bytes = static_cast<std::size_t>(bytes);
        const auto text = std::span{block}.first(std::min(full_bytes, block.size()));
        for (const std::string& line : lines_of(sender, text, full_bytes)) print(line);
    }
}

bool send(int socket, std::string_view message, complaints& all) {
    std::error_code why;
    for (int tries = 0; tries < send_tries; ++tries) {
        if (::send(socket, message.data(), message.size(), 0) >= 0) return true;
        why = apps::last_error();
        if (why != std::errc::connection_refused) break;
        complain(all, why);
    }
    fmt::print(stderr, "{}\n", all.not_sent(why));
    return false;
}

// Nothing at the end. Throws std::system_error, std::errc::message_size for a line that is too long.
std::optional<std::string> read_line() {
    constexpr std::size_t bytes_max = ringlet::line_reader::line_bytes_default;
    std::string line;
    bool is_too_long = false;
    int byte = 0;
    while ((byte = std::getc(stdin)) != EOF && byte != '\n') {
        is_too_long = is_too_long || line.size() == bytes_max;
        if (!is_too_long) line += static_cast<char>(byte);
    }
    if (std::ferror(stdin) != 0) throw std::system_error{errno, std::generic_category(), "standard input"};
    if (is_too_long) throw std::system_error{std::make_error_code(std::errc::message_size)};
    if (byte == EOF && line.empty()) return std::nullopt;
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

// Result: whether all could be sent.
bool send_lines(int socket, complaints& all) {
    bool sent_all = true;
    for (;;) {
        try {
            const auto line = read_line();
            if (!line) return sent_all;
            for (const std::string_view message : messages_of(*line)) sent_all &= send(socket, message, all);
        } catch (const std::system_error& error) {
            if (error.code() != std::errc::message_size) throw;
            fmt::print(stderr, "{}\n", complaints::too_long());
            sent_all = false;
        }
    }
}

struct hears_no_more {
    int socket;
    ~hears_no_more() { ::shutdown(socket, SHUT_RD); }  // once what has come is shown
};

}  // namespace

int chat_thread(const chat_order& how) {
    const net::endpoint peer = look_up(how.host, how.peer_port).front();
    const net::udp_socket socket = open_chat(peer, how.port);
    fmt::print(stderr, "{}\n", greeting(socket));
    complaints all{peer};
    const std::jthread receiver{show_incoming, socket.socket().get(), std::ref(all)};
    const hears_no_more at_the_end{socket.socket().get()};
    return send_lines(socket.socket().get(), all) ? 0 : 1;
}

}  // namespace comparison
