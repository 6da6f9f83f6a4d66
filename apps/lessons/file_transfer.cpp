// SPDX-License-Identifier: MIT
// File transfer: the client names a file, the server sends it.
//
// First the two sides need rules, a protocol. This one: the client sends one line, the name. The
// server answers with one line, "OK 300000" (that many bytes follow) or "NO" (no such file). The
// length tells the client when it has everything; a connection that ends before has failed, and
// without a length nobody could tell.
//
// A server must not trust the name: with "../../etc/passwd" a client would get what it should not.
// Here every name with a slash is refused.
//
// Files are read and sent in blocks, so a file of any size needs only a little memory.

#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/stream_reader.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <stdlib.h>

namespace net = ringlet::net;
namespace fs = ringlet::fs;

ringlet::task<> send_file(net::tcp_stream client, const std::string& folder) {
    net::stream_reader reader{client};
    const auto name = co_await reader.line();
    if (!name) co_return;
    const bool allowed = name->find('/') == std::string::npos;
    const std::string path = allowed ? folder + "/" + *name : "";
    auto file = co_await fs::try_open(path);  // nothing when there is no such file
    if (!file) {
        co_await client.send_all(ringlet::as_bytes("NO\n"));
        co_return;
    }
    const std::string head = fmt::format("OK {}\n", std::filesystem::file_size(path));
    co_await client.send_all(ringlet::as_bytes(head));
    std::vector<std::byte> block(64 * 1024);
    while (const std::size_t n = co_await file->read(block)) co_await client.send_all(std::span{block}.first(n));
}

ringlet::task<> download(net::endpoint server, std::string name, std::string to) {
    auto stream = co_await net::tcp_stream::connect(server);
    const std::string question = name + "\n";
    co_await stream.send_all(ringlet::as_bytes(question));
    net::stream_reader reader{stream};
    const auto answer = co_await reader.line();
    fmt::print("{}: the server says \"{}\"\n", name, answer.value_or("(closed)"));
    if (!answer || !answer->starts_with("OK ")) co_return;
    std::size_t missing = std::stoul(answer->substr(3));
    fs::file file = co_await fs::create(to);
    std::vector<std::byte> block(64 * 1024);
    while (missing > 0) {
        const std::size_t n = co_await reader.read_some(std::span{block}.first(std::min(block.size(), missing)));
        if (n == 0) break;  // the connection ended early
        co_await file.write_all(std::span{block}.first(n));
        missing -= n;
    }
    co_await file.close();
    fmt::print("{}: {}\n", name, missing == 0 ? "complete" : "broken off");
}

ringlet::task<> downloads(net::endpoint server, std::string folder) {
    co_await download(server, "song.mp3", folder + "/copy.mp3");
    co_await download(server, "nothing.mp3", folder + "/nothing");
    co_await download(server, "../../etc/passwd", folder + "/passwd");
}

ringlet::task<> transfer(const std::string& folder) {
    std::string song;
    for (int i = 0; i < 300'000; ++i) song += static_cast<char>(i * 7);
    auto original = co_await fs::create(folder + "/song.mp3");
    co_await original.write_all(ringlet::as_bytes(song));
    co_await original.close();

    auto listener = net::tcp_listener::bind(net::endpoint::loopback_v4(0));
    // serve: send_file for each connection. first_of: both, until one has ended; the other is cancelled.
    co_await ringlet::first_of(net::serve(listener, send_file, folder), downloads(listener.local_endpoint(), folder));

    auto copy = co_await fs::open(folder + "/copy.mp3");
    const std::string received = co_await copy.read_all();
    fmt::print("the copy is the same, byte for byte: {}\n", received == song);
}

struct temporary_folder {  // is gone at the end of the block, see lesson raii
    std::string path = std::filesystem::temp_directory_path() / "lesson-XXXXXX";
    temporary_folder() {
        if (::mkdtemp(path.data()) == nullptr) throw std::system_error{errno, std::generic_category(), path};
    }
    ~temporary_folder() {
        std::error_code nobody_minds;
        std::filesystem::remove_all(path, nobody_minds);
    }
};

int main() {
    const temporary_folder folder;
    ringlet::run(transfer(folder.path));
}
