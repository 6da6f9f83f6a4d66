// SPDX-License-Identifier: MIT
// The limit of a downloader: files over HTTP in clear from one server, from the socket through a pipe to the file without a
// copy of ours. Keep-alive connections, one epoll, one thread. A file has its final name from the beginning, nothing is ever
// tried again, and an answer must have a Content-Length.
//
// Try it:  bench-limit-fetch -j 8 -P DIRECTORY LIST      LIST: a URL in each line, http://ADDRESS:PORT/NAME
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr int pipe_bytes = 1 << 20;
constexpr std::size_t head_bytes_max = 8 * 1024;  // and a small body with it

[[noreturn]] void fail(std::string_view what) {
    fmt::print(stderr, "bench-limit-fetch: {}: {}\n", what, errno == 0 ? "not as expected" : std::strerror(errno));
    std::exit(1);
}

struct job_list {
    std::vector<std::string> names;
    std::string host;  // ADDRESS:PORT of all
    sockaddr_in server{};
};

struct connection {
    int socket = -1;
    int file = -1;
    std::string head;
    std::uint64_t left = 0;  // of the body
};

class fetcher {
public:
    fetcher(const job_list& jobs, const std::string& directory) : jobs_{jobs} {
        directory_ = ::open(directory.c_str(), O_DIRECTORY | O_CLOEXEC);
        if (directory_ < 0) fail(directory);
        if (::pipe2(pipe_.data(), O_CLOEXEC) != 0) fail("pipe2");
        ::fcntl(pipe_[0], F_SETPIPE_SZ, pipe_bytes);
    }

    void run(std::size_t connections) {
        std::vector<connection> all(std::min(connections, jobs_.names.size()));
        for (connection& each : all) begin(each);
        std::array<epoll_event, 64> ready;
        while (done_ < jobs_.names.size()) {
            const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), -1);
            for (int i = 0; i < count; ++i)
                go_on(*static_cast<connection*>(ready[static_cast<std::size_t>(i)].data.ptr));
        }
    }

private:
    void begin(connection& c) {
        c.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(c.socket, reinterpret_cast<const sockaddr*>(&jobs_.server), sizeof jobs_.server) != 0)
            fail("connect");
        const int on = 1;
        ::setsockopt(c.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::fcntl(c.socket, F_SETFL, O_RDWR | O_NONBLOCK);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &c;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.socket, &event);
        ask(c);
    }

    void ask(connection& c) {
        if (next_ == jobs_.names.size()) return;
        const std::string& name = jobs_.names[next_++];
        c.file = ::openat(directory_, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (c.file < 0) fail(name);
        const std::string request = "GET /" + name + " HTTP/1.1\r\nHost: " + jobs_.host + "\r\n\r\n";
        if (::send(c.socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
            fail("send");
    }

    void go_on(connection& c) {
        while (c.file >= 0) {
            const bool more = c.left == 0 ? receive_head(c) : receive_body(c);
            if (!more) return;
            if (c.left == 0 && c.head.empty()) finish(c);
        }
    }

    bool receive_head(connection& c) {
        std::array<char, head_bytes_max> buffer;
        const ssize_t got = ::recv(c.socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EAGAIN) return false;
        if (got <= 0) fail("recv");
        c.head.append(buffer.data(), static_cast<std::size_t>(got));
        const std::size_t end = c.head.find("\r\n\r\n");
        if (end == std::string::npos) return true;
        const std::string_view body = std::string_view{c.head}.substr(end + 4);
        const std::uint64_t length = body_bytes(std::string_view{c.head}.substr(0, end));
        if (::write(c.file, body.data(), body.size()) != static_cast<ssize_t>(body.size())) fail("write");
        c.left = length - body.size();
        c.head.clear();
        return true;
    }

    static std::uint64_t body_bytes(std::string_view head) {
        constexpr std::string_view name = "\r\nContent-Length:";
        if (!head.starts_with("HTTP/1.1 200")) fail(head.substr(0, head.find('\r')));
        for (std::size_t at = 0; (at = head.find("\r\n", at)) != std::string_view::npos; ++at)
            if (head.size() - at > name.size() && ::strncasecmp(head.data() + at, name.data(), name.size()) == 0)
                return std::strtoull(head.data() + at + name.size(), nullptr, 10);
        fail("no Content-Length");
    }

    bool receive_body(connection& c) {
        const ssize_t in = ::splice(c.socket, nullptr, pipe_[1], nullptr, std::min<std::uint64_t>(c.left, pipe_bytes),
                                    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (in < 0 && errno == EAGAIN) return false;
        if (in <= 0) fail("splice");
        for (ssize_t rest = in; rest > 0;) {
            const ssize_t out =
                ::splice(pipe_[0], nullptr, c.file, nullptr, static_cast<std::size_t>(rest), SPLICE_F_MOVE);
            if (out <= 0) fail("splice");
            rest -= out;
        }
        c.left -= static_cast<std::uint64_t>(in);
        return true;
    }

    void finish(connection& c) {
        ::close(c.file);
        c.file = -1;
        ++done_;
        ask(c);
    }

    const job_list& jobs_;
    std::size_t next_ = 0;
    std::size_t done_ = 0;
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    int directory_ = -1;
    std::array<int, 2> pipe_{-1, -1};
};

job_list read_list(const char* path) {
    constexpr std::string_view scheme = "http://";
    job_list jobs;
    std::ifstream list{path};
    for (std::string url; std::getline(list, url);) {
        const std::size_t slash = url.find('/', scheme.size());
        if (!url.starts_with(scheme) || slash == std::string::npos) fail(url);
        jobs.host = url.substr(scheme.size(), slash - scheme.size());
        jobs.names.push_back(url.substr(slash + 1));
    }
    const std::size_t colon = jobs.host.find(':');
    jobs.server.sin_family = AF_INET;
    if (colon == std::string::npos ||
        ::inet_pton(AF_INET, jobs.host.substr(0, colon).c_str(), &jobs.server.sin_addr) != 1)
        fail(path);
    jobs.server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(jobs.host.c_str() + colon + 1)));
    return jobs;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t connections = 8;
    std::string directory = ".";
    for (int name = 0; (name = ::getopt(argc, argv, "j:P:")) != -1;) {
        if (name == 'j') connections = std::strtoul(optarg, nullptr, 10);
        if (name == 'P') directory = optarg;
        if (name == '?') return 2;
    }
    if (optind + 1 != argc) {
        fmt::print(stderr, "usage: bench-limit-fetch [-j N] [-P DIRECTORY] LIST\n");
        return 2;
    }
    const job_list jobs = read_list(argv[optind]);
    fetcher{jobs, directory}.run(connections);
}
