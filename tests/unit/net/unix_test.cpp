// SPDX-License-Identifier: MIT
#include "support.hpp"
#include <ringlet/core/report.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/unix_listener.hpp>
#include <ringlet/net/unix_stream.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ringlet;
using namespace ringlet_tests;
using net::unix_address;
using net::unix_listener;
using net::unix_stream;

namespace {

/// A directory that goes with what is in it; a socket's path has to be short.
class scratch {
public:
    scratch() {
        std::string name = "/tmp/ringlet-unix-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::system_error{errno, std::generic_category(), name};
        path_ = name;
    }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() { std::filesystem::remove_all(path_); }
    std::string file(const char* name) const { return path_ / name; }
    bool empty() const { return std::filesystem::is_empty(path_); }

private:
    std::filesystem::path path_;
};

task<std::string> read_to_end(unix_stream& stream) {
    std::string all;
    std::array<std::byte, 512> buffer;
    while (const std::size_t n = co_await stream.recv(buffer)) all += as_text(std::span{buffer}.first(n));
    co_return all;
}

task<> echo_once(unix_listener& listener) {
    unix_stream stream = co_await listener.accept();
    const std::string all = co_await read_to_end(stream);
    std::array<iovec, 3> parts{net::part_of(as_bytes("<")), net::part_of(as_bytes(all)), net::part_of(as_bytes(">"))};
    co_await stream.send_all(parts);
}

task<> round_trip(unix_address address) {
    auto listener = unix_listener::bind(address);
    CHECK(listener.local_address() == address);
    auto server = spawn(echo_once, std::ref(listener));
    unix_stream client = co_await unix_stream::connect(address);
    CHECK(client.peer_address() == address);
    CHECK(client.local_address().is_unnamed());
    const net::peer_credentials peer = client.credentials();
    CHECK(peer.pid == ::getpid());
    CHECK(peer.uid == ::geteuid());
    CHECK(peer.gid == ::getegid());
    const std::string text(300'000, 'x');
    co_await client.send_all(as_bytes(text));
    co_await client.shutdown_send();
    const std::string answer = co_await read_to_end(client);
    CHECK((answer == "<" + text + ">"));
    co_await server.get();
}

task<> refused(const scratch& directory) {
    const std::string path = directory.file("s");
    const std::string missing = co_await fate(unix_stream::connect(path));
    CHECK(missing == "connect to " + path + ": No such file or directory");
    {
        auto listener = unix_listener::bind(path);
        CHECK_THROWS_WITH(unix_listener::bind(path), "cannot listen on " + path + ": Address already in use");
        CHECK_FALSE(directory.empty());
        listener.close();
        CHECK(directory.empty());
    }
    const std::string abstract = "@ringlet-test-" + std::to_string(::getpid());
    const std::string nobody = co_await fate(unix_stream::connect(abstract));
    CHECK(nobody == "connect to " + abstract + ": Connection refused");
}

// Who finds the path taken has to look whether anybody is there; the server sees nothing of that.
task<> looked_at(const scratch& directory) {
    const std::string path = directory.file("s");
    auto listener = unix_listener::bind(path);
    CHECK_THROWS_AS(unix_listener::bind(path), std::system_error);
    unix_stream client = co_await unix_stream::connect(path);
    co_await client.send_all(as_bytes("x"));
    co_await client.shutdown_send();
    unix_stream first = co_await listener.accept();
    const std::string said = co_await read_to_end(first);
    CHECK(said == "x");
}

task<> reported(const scratch& directory) {
    const std::string path = directory.file("s");
    auto listener = unix_listener::bind(path);
    const int listening = listener.socket().get();
    auto server = spawn(echo_once, std::ref(listener));
    server.set_name("server");
    co_await yield();
    const std::string before = describe_tasks();
    CAPTURE(before);
    CHECK(contains(before, fmt::format("server: waits for accept fd {}, {} at", listening, path)));
    server.cancel();
    co_await server.join();
}

task<> full_backlog(const scratch& directory) {
    net::unix_listen_options options;
    options.backlog = 0;
    auto listener = unix_listener::bind(directory.file("s"), options);
    auto connect = [](unix_address to) -> task<> { const unix_stream stream = co_await unix_stream::connect(to); };
    std::vector<job<>> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(spawn(connect, listener.local_address()));
    co_await sleep(5ms);
    for (int i = 0; i < 8; ++i) const unix_stream accepted = co_await listener.accept();
    for (auto& client : clients) co_await client.get();
}

task<> one_line(unix_stream stream, std::string& seen, net::drain& enough) {
    seen += co_await read_to_end(stream);
    if (seen.size() == 3) enough.begin();
}

task<> served(const scratch& directory) {
    auto listener = unix_listener::bind(directory.file("s"));
    const unix_address where = listener.local_address();
    net::drain enough;
    std::string seen;
    auto serving = spawn(
        [](unix_listener& l, std::string& into, net::drain& until) -> task<> {
            net::serve_options options{until};
            options.connections_max = 1;
            co_await net::serve(l, std::move(options), one_line, std::ref(into), std::ref(until));
        },
        std::ref(listener), std::ref(seen), std::ref(enough));
    for (int i = 0; i < 3; ++i) {
        unix_stream client = co_await unix_stream::connect(where);
        co_await client.send_all(as_bytes("x"));
    }
    co_await serving.get();
    CHECK(seen == "xxx");
    CHECK(directory.empty());
}

// As a killed server does.
void leave_dead_socket(const std::string& path) {
    const unix_address address{path};
    const io::owned_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::bind(socket.get(), &address.address(), address.length()) == 0);
}

}  // namespace

TEST_CASE("a Unix address is a path or an abstract name", "[net][unix]") {
    CHECK(unix_address{"/run/x"}.to_string() == "/run/x");
    CHECK(unix_address{"/run/x"}.is_path());
    CHECK(unix_address{"@x"}.to_string() == "@x");
    CHECK(unix_address{"@x"}.is_abstract());
    CHECK(unix_address{}.to_string() == "(unnamed)");
    CHECK(unix_address{"a"} == unix_address{"a"});
    CHECK_FALSE(unix_address{"@a"} == unix_address{"a"});
    CHECK(unix_address{std::string(107, 'a')}.path().size() == 107);
    CHECK_THROWS_AS(unix_address{std::string(108, 'a')}, std::invalid_argument);
    CHECK_THROWS_AS(unix_address{""}, std::invalid_argument);
    CHECK_THROWS_AS(unix_address{"@"}, std::invalid_argument);
    CHECK_THROWS_AS(unix_address{std::string("a\0b", 3)}, std::invalid_argument);
}

TEST_CASE("a Unix stream goes there and back", "[net][unix]") {
    const scratch directory;
    const leak_check leaks;
    run(round_trip, unix_address{directory.file("s")});
    CHECK(directory.empty());
    run(round_trip, unix_address{"@ringlet-test-" + std::to_string(::getpid())});
}

TEST_CASE("a Unix socket that cannot be used is an error that names it", "[net][unix]") {
    const scratch directory;
    const leak_check leaks;
    run(refused, std::cref(directory));
}

TEST_CASE("a Unix listener sees no client when another process wants its path", "[net][unix]") {
    const scratch directory;
    const leak_check leaks;
    run(looked_at, std::cref(directory));
}

TEST_CASE("a report says at what address a job accepts", "[net][unix][report]") {
    const scratch directory;
    const leak_check leaks;
    run(reported, std::cref(directory));
}

TEST_CASE("a Unix stream waits for room in a full backlog", "[net][unix]") {
    const scratch directory;
    const leak_check leaks;
    run(full_backlog, std::cref(directory));
}

TEST_CASE("serve serves Unix sockets", "[net][unix]") {
    const scratch directory;
    const leak_check leaks;
    run(served, std::cref(directory));
}

TEST_CASE("the socket file of a killed server is replaced, and no other file", "[net][unix]") {
    const scratch directory;
    const std::string path = directory.file("s");
    leave_dead_socket(path);
    net::unix_listen_options strict;
    strict.replace_dead = false;
    CHECK_THROWS_WITH(unix_listener::bind(path, strict), "cannot listen on " + path + ": Address already in use");
    net::unix_listen_options secret;
    secret.permissions = 0600;
    {
        auto listener = unix_listener::bind(path, secret);
        struct stat info{};
        CHECK(::stat(path.c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
        // What takes its place stays.
        std::filesystem::remove(path);
        std::filesystem::create_directory(path);
    }
    CHECK(std::filesystem::is_directory(path));
    CHECK_THROWS_WITH(unix_listener::bind(path), "cannot listen on " + path + ": Address already in use");
}

TEST_CASE("a Unix socket that does not listen yet is not dead", "[net][unix]") {
    const scratch directory;
    const std::string path = directory.file("s");
    const unix_address address{path};
    const io::owned_fd bound{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::bind(bound.get(), &address.address(), address.length()) == 0);
    CHECK_THROWS_WITH(unix_listener::bind(path), "cannot listen on " + path + ": Address already in use");
    REQUIRE(::listen(bound.get(), 1) == 0);
    run([](unix_address to) -> task<> { const unix_stream client = co_await unix_stream::connect(to); }, address);
}

TEST_CASE("one process at a time replaces the file of a dead Unix socket", "[net][unix]") {
    const scratch directory;
    const std::string path = directory.file("s");
    leave_dead_socket(path);
    struct stat dead{};
    REQUIRE(::stat(path.c_str(), &dead) == 0);
    {
        // As another process has it that has found the socket dead, too.
        const auto right = unix_listener::bind(fmt::format("@ringlet.replaces.{:x}.{:x}", dead.st_dev, dead.st_ino));
        CHECK_THROWS_WITH(unix_listener::bind(path), "cannot listen on " + path + ": Address already in use");
        CHECK_FALSE(directory.empty());
    }
    const auto listener = unix_listener::bind(path);
    CHECK_THROWS_WITH(unix_listener::bind(path), "cannot listen on " + path + ": Address already in use");
}

TEST_CASE("a Unix listener removes its file from another directory, too", "[net][unix]") {
    const scratch directory;
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(directory.file(""));
    auto listener = unix_listener::bind("s");
    std::filesystem::current_path(before);
    CHECK(listener.local_address().path() == "s");
    CHECK_FALSE(directory.empty());
    listener.close();
    CHECK(directory.empty());
}

TEST_CASE("a forked child's copy of a listener leaves the path alone", "[net][unix]") {
    const scratch directory;
    auto listener = std::make_unique<unix_listener>(unix_listener::bind(directory.file("s")));
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        listener.reset();
        ::_exit(0);
    }
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    CHECK_FALSE(directory.empty());
    unix_listener moved = std::move(*listener);
    listener.reset();
    CHECK_FALSE(directory.empty());
    moved.close();
    CHECK(directory.empty());
}
