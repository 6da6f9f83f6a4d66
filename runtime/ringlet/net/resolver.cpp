// SPDX-License-Identifier: MIT
#include <ringlet/io/fd.hpp>
#include <ringlet/io/op/poll.hpp>
#include <ringlet/net/resolver.hpp>
#include <ringlet/time/timeout.hpp>

#include <ares.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <sys/epoll.h>
#include <sys/time.h>

namespace ringlet::net {
namespace {

[[noreturn]] void raise(const std::string& host, errc why) {
    throw std::system_error{make_error_code(why), "could not resolve host: " + host};
}

errc meaning_of(int status) {
    switch (status) {
        case ARES_ENOMEM:
            throw std::bad_alloc{};
        case ARES_ENOTFOUND:
        case ARES_ENODATA:
        case ARES_EBADNAME:
        case ARES_ENONAME:
            return errc::host_not_found;
        case ARES_ETIMEOUT:
            return errc::resolver_timed_out;
        default:
            return errc::resolver_unavailable;
    }
}

bool cannot_exist(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.size() > 253 || host.find_first_of(std::string_view{"\0:/[] \t\r\n", 9}) != host.npos)
        return true;
    if (host.find_first_not_of("0123456789.") == host.npos) return true;
    const std::string_view last = host.substr(host.rfind('.') + 1);  // npos + 1 is 0
    constexpr std::string_view invalid = "invalid";                  // RFC 6761
    return std::equal(last.begin(), last.end(), invalid.begin(), invalid.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
}

// Once a process; never undone, because c-ares keeps nothing that would matter.
void initialise_library() {
    static const int status = ares_library_init(ARES_LIB_INIT_ALL);
    if (status != ARES_SUCCESS) throw std::system_error{ENOMEM, std::generic_category(), "ares_library_init"};
}

// One resolution. Its sockets stand in an epoll set, so that one poll waits for all of them. Destroying it at any point
// ends it: c-ares then calls `answered` with ARES_EDESTRUCTION and closes its sockets.
class query {
public:
    query(const std::string& host, std::uint16_t port, const resolve_options& options)
        : sockets_{::epoll_create1(EPOLL_CLOEXEC)}, port_{port} {
        if (!sockets_) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
        initialise_library();
        ares_options ares{};
        ares.sock_state_cb = &query::watch;
        ares.sock_state_cb_data = this;
        ares.timeout = static_cast<int>(options.question.count());
        ares.tries = 3;
        if (const int status =
                ares_init_options(&channel_, &ares, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
            status != ARES_SUCCESS)
            raise(host, meaning_of(status));
        try {
            start(host, options);
        } catch (...) {
            ares_destroy(channel_);
            throw;
        }
    }
    query(const query&) = delete;
    query& operator=(const query&) = delete;
    ~query() { ares_destroy(channel_); }

    bool done() const noexcept { return status_.has_value(); }
    int status() const noexcept { return *status_; }
    std::vector<endpoint>& found() noexcept { return found_; }
    io::fd_ref sockets() const noexcept { return sockets_; }

    /// How long until c-ares wants to be called even though no socket is ready.
    std::chrono::microseconds patience() const noexcept {
        timeval most{1, 0};
        timeval room{};
        const timeval* t = ares_timeout(channel_, &most, &room);
        return std::chrono::seconds{t->tv_sec} + std::chrono::microseconds{t->tv_usec};
    }
    void go_on() noexcept {
        std::array<epoll_event, 16> ready{};
        const int n = ::epoll_wait(sockets_.get(), ready.data(), ready.size(), 0);
        if (n <= 0) {
            ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
            return;
        }
        for (int i = 0; i < n; ++i) {
            const epoll_event& e = ready[static_cast<std::size_t>(i)];
            const bool failed = (e.events & (EPOLLERR | EPOLLHUP)) != 0;
            ares_process_fd(channel_, failed || (e.events & EPOLLIN) ? e.data.fd : ARES_SOCKET_BAD,
                            failed || (e.events & EPOLLOUT) ? e.data.fd : ARES_SOCKET_BAD);
        }
    }

private:
    void start(const std::string& host, const resolve_options& options) {
        if (!options.servers.empty()) {
            std::string list;
            for (const endpoint& server : options.servers) list += (list.empty() ? "" : ",") + server.to_string();
            if (const int status = ares_set_servers_ports_csv(channel_, list.c_str()); status != ARES_SUCCESS)
                raise(host, meaning_of(status));
        }
        ares_addrinfo_hints hints{};
        hints.ai_socktype = SOCK_STREAM;  // else every address comes once for each type
        hints.ai_family = options.wanted == resolve_options::families::ipv4   ? AF_INET
                          : options.wanted == resolve_options::families::ipv6 ? AF_INET6
                                                                              : AF_UNSPEC;
        ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &query::answered, this);
    }
    static void watch(void* self, ares_socket_t fd, int readable, int writable) noexcept {
        const int set = static_cast<query*>(self)->sockets_.get();
        epoll_event e{};
        e.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
        e.data.fd = fd;
        if (e.events == 0)
            ::epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr);
        else if (::epoll_ctl(set, EPOLL_CTL_MOD, fd, &e) != 0)
            ::epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);  // fails for lack of memory only: the time limit ends it then
    }
    static void answered(void* data, int status, int, ares_addrinfo* answer) noexcept {
        auto& self = *static_cast<query*>(data);
        self.status_ = status;
        if (answer == nullptr) return;
        try {
            for (const ares_addrinfo_node* n = answer->nodes; n != nullptr; n = n->ai_next) {
                endpoint e{*n->ai_addr, static_cast<socklen_t>(n->ai_addrlen)};
                e.set_port(self.port_);
                if (e.family() != endpoint::family_type::unspecified &&
                    std::find(self.found_.begin(), self.found_.end(), e) == self.found_.end())
                    self.found_.push_back(e);
            }
        } catch (const std::bad_alloc&) {
            self.status_ = ARES_ENOMEM;
        }
        ares_freeaddrinfo(answer);
    }

    io::owned_fd sockets_;
    ares_channel channel_ = nullptr;
    std::uint16_t port_;
    std::optional<int> status_;
    std::vector<endpoint> found_;
};

task<> ask(query& q) {
    while (!q.done()) {
        // Readiness or time: c-ares finds out itself which.
        const result<unsigned> ready =
            co_await as_result(with_timeout(q.patience(), io::poll_op{q.sockets(), EPOLLIN}));
        if (!ready && ready.error() != std::errc::timed_out) throw std::system_error{ready.error(), "poll"};
        q.go_on();
    }
}

}  // namespace

task<std::vector<endpoint>> resolve(std::string host, std::uint16_t port, resolve_options options) {
    if (const auto numeric = endpoint::try_parse_address(host, port)) co_return std::vector<endpoint>{*numeric};
    if (cannot_exist(host)) raise(host, errc::host_not_found);
    query q{host, port, options};
    const result<void> ended = co_await as_result(with_timeout(options.limit, ask(q)));
    if (!ended) {
        if (ended.error() == std::errc::timed_out) raise(host, errc::resolver_timed_out);
        throw std::system_error{ended.error(), "could not resolve host: " + host};
    }
    if (q.status() != ARES_SUCCESS) raise(host, meaning_of(q.status()));
    if (q.found().empty()) raise(host, errc::host_not_found);
    co_return std::move(q.found());
}

}  // namespace ringlet::net
