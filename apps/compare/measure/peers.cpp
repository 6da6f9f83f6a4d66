// SPDX-License-Identifier: MIT
#include "compare/measure/peers.hpp"

#include "compare/sources.hpp"
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/os/popen.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

namespace comparison {
namespace {

namespace os = ringlet::os;
using namespace std::chrono_literals;

constexpr std::string_view nginx_configuration = R"(daemon off;
master_process off;
pid {home}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 30000;
events {{ worker_connections 20000; multi_accept on; }}
http {{
    access_log off;
    open_file_cache max=100;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    server {{ listen {address} backlog=4096; root {home}; }}
}}
)";

// What it says on both streams; empty when it cannot be run, or fails.
ringlet::task<std::string> said_by(std::vector<std::string> command) {
    const os::popen_options options{os::stdio::null(), os::stdio::pipe(), os::stdio::to_output()};
    try {
        os::popen program{command, options};
        const os::popen_result done = co_await ringlet::with_timeout(120s, program.communicate());
        if (done.exit_code == 0) co_return done.output.substr(0, done.output.find('\n'));
    } catch (const std::system_error&) {
    }
    co_return std::string{};
}

using words = std::vector<std::string>;

// Of two places where a program may be, the first one where it runs; empty: neither.
ringlet::task<std::string> first_that_runs(std::string name, std::string elsewhere, words arguments,
                                           std::string& said) {
    for (const std::string& each : {name, elsewhere}) {
        words command{each};
        command.insert(command.end(), arguments.begin(), arguments.end());
        said = co_await said_by(std::move(command));
        if (!said.empty()) co_return each;
    }
    co_return std::string{};
}

// Free now; it is taken a moment later.
ringlet::net::endpoint free_address() {
    return ringlet::net::tcp_listener::bind(ringlet::net::endpoint::loopback_v4(0)).local_endpoint();
}

subject peer(std::string_view name, std::string_view summary, std::string version, server_command command) {
    return {.facts = {.name = std::string{name},
                      .summary = std::string{summary},
                      .lines = {},
                      .version = std::move(version),
                      .is_extra = false,
                      .is_peer = true},
            .command = std::move(command)};
}

}  // namespace

peers::peers(const site& pages) {
    std::string home = (std::filesystem::temp_directory_path() / "ringlet-compare-XXXXXX").string();
    if (::mkdtemp(home.data()) == nullptr) throw std::system_error{errno, std::generic_category(), home};
    home_ = std::move(home);
    for (const std::string_view name : {"1k", "1m"}) (void)write(name, pages.find(name)->body);
}

peers::~peers() {
    std::error_code ignored;
    std::filesystem::remove_all(home_, ignored);
}

std::string peers::write(std::string_view name, std::string_view text) const {
    const std::string path = fmt::format("{}/{}", home_, name);
    std::ofstream file{path, std::ios::binary};
    file << text;
    if (!file.flush()) throw std::runtime_error{fmt::format("cannot write {}", path)};
    return path;
}

ringlet::task<subject> peers::find(std::string_view name) const {
    if (name == "nginx") return nginx();
    return name == "gevent" ? gevent() : go();
}

ringlet::task<subject> peers::nginx() const {
    std::string version;
    const words asks{"-v"};
    const std::string program = co_await first_that_runs("nginx", "/usr/sbin/nginx", asks, version);
    if (program.empty()) throw std::runtime_error{"nginx is not installed"};
    const ringlet::net::endpoint address = free_address();
    const std::string configuration = write("nginx.conf", fmt::format(nginx_configuration, fmt::arg("home", home_),
                                                                      fmt::arg("address", fmt::to_string(address))));
    const server_command command{.words = {program, "-c", configuration, "-p", home_}, .address = address};
    subject found = peer("nginx", "a server as it is used", version.substr(version.find('/') + 1), command);
    found.has_our_pages = false;
    co_return found;
}

ringlet::task<subject> peers::gevent() const {
    std::string version;
    const words asks{"-c", "import gevent; print(gevent.__version__)"};
    const std::string program = co_await first_that_runs("python3", "/usr/bin/python3", asks, version);
    if (program.empty()) throw std::runtime_error{"gevent is not installed (python3-gevent)"};
    const ringlet::net::endpoint address = free_address();
    const std::string source = write("gevent_server.py", sources::gevent_server);
    const server_command command{.words = {program, source, std::to_string(address.port()), home_}, .address = address};
    co_return peer("gevent", "the course's server: a greenlet for each connection", version, command);
}

ringlet::task<subject> peers::go() const {
    std::string version;
    const words asks{"version"};
    const std::string program = co_await first_that_runs("go", "/usr/lib/go/bin/go", asks, version);
    if (program.empty()) throw std::runtime_error{"Go is not installed"};
    const std::string source = write("go_server.go", sources::go_server);
    const std::string built = home_ + "/go_server";
    const words build{program, "build", "-o", built, source};
    (void)co_await said_by(build);
    if (!std::filesystem::exists(built)) throw std::runtime_error{"Go does not compile its server"};
    const server_command command{.words = {built, home_}, .address = {}};
    co_return peer("go", "a goroutine for each connection", version.substr(version.find("go1") + 2), command);
}

}  // namespace comparison
