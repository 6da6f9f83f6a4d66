// SPDX-License-Identifier: MIT
// The limit: an HTTP server of files written by hand on liburing, in the best form that we know, against which ringlet-serve
// is measured. One thread, DEFER_TASKRUN, multishot accept and recv, a provided-buffer ring; heads are prepared, all answers
// to what has come go out in one send, large files by sendfile(2).
//
// Try it:  bench-limit-http -p 7000 DIRECTORY     It prints the address, flushed at once; -p 0 takes a free port.
#include "common/process.hpp"
#include "common/ring.hpp"
#include "limits/http_site.hpp"
#include "limits/listener.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr std::size_t gathered_bytes_max = 64 * 1024;
constexpr std::size_t copied_bytes_max = 4 * 1024;      // a body behind its head; beyond it the kernel gathers
constexpr std::uint64_t corked_bytes_min = 256 * 1024;  // of a file: sendfile(2) pushes each 64 KiB else
constexpr std::size_t input_bytes_max = 16 * 1024;
constexpr int pipe_bytes = 1 << 20;

enum class event : std::uint32_t { accept, receive, send, poll };

std::uint64_t tag(event what, int fd = 0) {
    return std::uint64_t{static_cast<std::uint32_t>(fd)} << 8 | static_cast<std::uint32_t>(what);
}

enum class bulk : std::uint8_t { sendfile, splice };

struct http_options {
    std::uint16_t port = 0;
    std::string directory = ".";
    std::string congestion;
    bulk way = bulk::sendfile;
    std::uint64_t body_bytes_max = 64 * 1024;
};

/// Indexed by the file descriptor: dense, and never reused before we have closed it.
struct connection {
    std::string input;   // what is not answered yet
    std::string output;  // answers, not yet sent
    std::size_t sent = 0;
    const bench::page* large = nullptr;  // its body follows the output
    std::uint64_t large_sent = 0;
    std::array<iovec, 2> parts{};
    msghdr message{};
    bool receiving = false;
    bool multishot = false;
    bool sending = false;
    bool closes = false;  // after what is to be sent
    bool ended = false;   // it sends nothing more
};

[[noreturn]] void fail(const char* what, int error) {
    fmt::print(stderr, "bench-limit-http: {}: {}\n", what, std::strerror(error));
    std::exit(2);
}

class http_server {
public:
    explicit http_server(const http_options& options)
        : options_{options},
          site_{options.directory, options.body_bytes_max},
          ring_{1024, 16384},
          pool_{ring_, 256, 4096} {
        if (::pipe2(pipe_.data(), O_CLOEXEC | O_NONBLOCK) != 0) fail("pipe2", errno);
        ::fcntl(pipe_[0], F_SETPIPE_SZ, pipe_bytes);
    }

    [[noreturn]] void run() {
        listener_ = bench::listen_on_loopback("Serving at ", options_.port, options_.congestion);
        const int seconds = 1;  // a connection is accepted with its first request
        ::setsockopt(listener_, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
        arm_accept();
        for (;;) {
            ring_.submit_and_wait();
            unsigned head = 0;
            unsigned count = 0;
            io_uring_cqe* cqe = nullptr;
            io_uring_for_each_cqe(ring_.get(), head, cqe) {
                dispatch(*cqe);
                ++count;
            }
            io_uring_cq_advance(ring_.get(), count);
            pool_.publish();
        }
    }

private:
    void dispatch(const io_uring_cqe& cqe) {
        const auto fd = static_cast<int>(cqe.user_data >> 8);
        switch (static_cast<event>(cqe.user_data & 0xff)) {
            case event::accept:
                return accepted(cqe.res, cqe.flags);
            case event::receive:
                return received(fd, cqe.res, cqe.flags);
            case event::send:
                return sent(fd, cqe.res);
            case event::poll:
                return send_large(fd, *connections_[static_cast<std::size_t>(fd)]);
        }
    }

    void arm_accept() {
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_multishot_accept(sqe, listener_, nullptr, nullptr, SOCK_CLOEXEC);
        sqe->user_data = tag(event::accept);
    }

    void accepted(int result, unsigned flags) {
        if (result >= 0) {
            const auto at = static_cast<std::size_t>(result);
            if (at >= connections_.size()) connections_.resize(at + at / 2 + 16);
            if (!connections_[at]) connections_[at] = std::make_unique<connection>();
            arm_receive(result, *connections_[at]);
        }
        if ((flags & IORING_CQE_F_MORE) == 0) arm_accept();
    }

    // One receive first: a client that closes after its first answer need not be torn from a multishot request.
    void arm_receive(int fd, connection& peer) {
        io_uring_sqe* sqe = ring_.entry();
        if (peer.multishot)
            io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
        else
            io_uring_prep_recv(sqe, fd, nullptr, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = bench::buffer_pool::group;
        sqe->user_data = tag(event::receive, fd);
        peer.receiving = true;
    }

    void received(int fd, int result, unsigned flags) {
        connection& peer = *connections_[static_cast<std::size_t>(fd)];
        peer.receiving = (flags & IORING_CQE_F_MORE) != 0;
        if (result > 0) {
            const auto buffer = static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
            const std::string_view bytes{reinterpret_cast<const char*>(pool_.data(buffer)),
                                         static_cast<std::size_t>(result)};
            if (peer.sending || !peer.input.empty()) {
                peer.input += bytes;
                if (!peer.sending) answer_input(fd, peer);
            } else {
                peer.input = bytes.substr(answer_all(peer, bytes));
                send_answers(fd, peer);
            }
            pool_.recycle(buffer);
            if (peer.input.size() > input_bytes_max) peer.closes = true;
        } else if (result != -ENOBUFS) {
            peer.ended = true;
        }
        peer.multishot = true;
        if (!peer.receiving && !peer.closes && !peer.ended) return arm_receive(fd, peer);
        close_when_done(fd, peer);
    }

    void answer_input(int fd, connection& peer) {
        peer.input.erase(0, answer_all(peer, peer.input));
        send_answers(fd, peer);
    }

    /// Puts the answers to all whole requests into the output, up to one with a body that is sent on its own. Gives the
    /// number of bytes that these requests had.
    std::size_t answer_all(connection& peer, std::string_view input) {
        std::size_t used = 0;
        while (!peer.closes && peer.large == nullptr && peer.output.size() < gathered_bytes_max) {
            const bench::http_request request = bench::scan_request(input.substr(used));
            if (request.bytes == 0) break;
            used += request.bytes;
            answer(peer, request);
        }
        return used;
    }

    void answer(connection& peer, const bench::http_request& request) {
        const bench::page* const found = request.bad ? nullptr : site_.find(request.path);
        peer.closes = request.closes || request.bad;
        if (found == nullptr) {
            peer.output += request.bad ? "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                                       : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n";
        } else {
            peer.output += found->head;
        }
        peer.output += date_.text();
        peer.output += peer.closes ? "Connection: close\r\n\r\n" : "\r\n";
        if (found == nullptr || request.head_only || found->bytes == 0) return;
        if (found->file < 0 && found->bytes <= copied_bytes_max) {
            peer.output += found->body;
        } else {
            peer.large = found;
            peer.large_sent = 0;
        }
    }

    void send_answers(int fd, connection& peer) {
        if (peer.output.empty() && peer.large == nullptr) return;
        // At once where the end follows, which then goes out in the same packet.
        if (peer.closes && peer.large == nullptr) {
            const ssize_t n =
                ::send(fd, peer.output.data(), peer.output.size(), MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n > 0) peer.output.erase(0, static_cast<std::size_t>(n));
            if (peer.output.empty()) return;
        }
        peer.sending = true;
        peer.sent = 0;
        if (peer.large != nullptr && peer.large->file >= 0) return send_large(fd, peer);
        send_from_memory(fd, peer);
    }

    void send_from_memory(int fd, connection& peer) {
        io_uring_sqe* const sqe = ring_.entry();
        if (peer.large != nullptr) {
            const std::string& body = peer.large->body;
            peer.parts = {iovec{peer.output.data() + peer.sent, peer.output.size() - peer.sent},
                          iovec{const_cast<char*>(body.data()) + peer.large_sent, body.size() - peer.large_sent}};
            peer.message = {};
            peer.message.msg_iov = peer.parts.data();
            peer.message.msg_iovlen = peer.parts.size();
            io_uring_prep_sendmsg(sqe, fd, &peer.message, MSG_NOSIGNAL | MSG_WAITALL);
        } else {
            io_uring_prep_send(sqe, fd, peer.output.data() + peer.sent, peer.output.size() - peer.sent,
                               MSG_NOSIGNAL | MSG_WAITALL);
        }
        sqe->user_data = tag(event::send, fd);
    }

    void sent(int fd, int result) {
        connection& peer = *connections_[static_cast<std::size_t>(fd)];
        if (result < 0) return drop(fd, peer);
        const std::size_t of_output = std::min(static_cast<std::size_t>(result), peer.output.size() - peer.sent);
        peer.sent += of_output;
        if (peer.large != nullptr) peer.large_sent += static_cast<std::size_t>(result) - of_output;
        const bool whole =
            peer.sent == peer.output.size() && (peer.large == nullptr || peer.large_sent == peer.large->bytes);
        whole ? answers_are_sent(fd, peer) : send_from_memory(fd, peer);
    }

    void answers_are_sent(int fd, connection& peer) {
        peer.output.clear();
        peer.large = nullptr;
        peer.sending = false;
        if (!peer.input.empty() && !peer.closes) answer_input(fd, peer);
        close_when_done(fd, peer);
    }

    // The head waits in the kernel for the first bytes of the file. The socket does not block meanwhile only.
    void send_large(int fd, connection& peer) {
        while (peer.sent < peer.output.size()) {
            const ssize_t n = ::send(fd, peer.output.data() + peer.sent, peer.output.size() - peer.sent,
                                     MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0) return wait_or_drop(fd, peer);
            peer.sent += static_cast<std::size_t>(n);
        }
        const bool more = options_.way == bulk::sendfile ? send_file(fd, peer) : splice_file(fd, peer);
        if (!more) return wait_or_drop(fd, peer);
        answers_are_sent(fd, peer);
    }

    bool send_file(int fd, connection& peer) {
        ::fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
        const bool is_long = peer.large->bytes - peer.large_sent >= corked_bytes_min;
        if (is_long) set_cork(fd, 1);
        ssize_t n = 1;
        while (n > 0 && peer.large_sent < peer.large->bytes) {
            auto from = static_cast<off_t>(peer.large_sent);
            n = ::sendfile(fd, peer.large->file, &from, peer.large->bytes - peer.large_sent);
            if (n > 0) peer.large_sent += static_cast<std::uint64_t>(n);
        }
        const int error = n == 0 ? EIO : errno;  // it has become shorter
        if (is_long) set_cork(fd, 0);
        ::fcntl(fd, F_SETFL, O_RDWR);
        errno = error;
        return n > 0;
    }

    static void set_cork(int fd, int on) { ::setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }

    bool splice_file(int fd, connection& peer) {
        while (peer.large_sent < peer.large->bytes) {
            auto from = static_cast<loff_t>(peer.large_sent);
            const ssize_t in = ::splice(peer.large->file, &from, pipe_[1], nullptr,
                                        std::min<std::uint64_t>(peer.large->bytes - peer.large_sent, pipe_bytes), 0);
            if (in == 0) errno = EIO;
            if (in <= 0) return false;
            for (ssize_t left = in; left > 0;) {
                const ssize_t out = ::splice(pipe_[0], nullptr, fd, nullptr, static_cast<std::size_t>(left),
                                             SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
                if (out <= 0) {
                    const int error = errno;
                    empty_pipe(static_cast<std::size_t>(left));
                    errno = error;
                    return false;
                }
                left -= out;
                peer.large_sent += static_cast<std::uint64_t>(out);
            }
        }
        return true;
    }

    // The pipe is everybody's: what a socket did not take is taken from the file again.
    void empty_pipe(std::size_t bytes) {
        std::array<char, 65536> dropped;
        while (bytes > 0) {
            const ssize_t n = ::read(pipe_[0], dropped.data(), std::min(bytes, dropped.size()));
            if (n <= 0) fail("pipe", errno);
            bytes -= static_cast<std::size_t>(n);
        }
    }

    void wait_or_drop(int fd, connection& peer) {
        if (errno != EAGAIN) return drop(fd, peer);
        io_uring_sqe* sqe = ring_.entry();
        io_uring_prep_poll_add(sqe, fd, POLLOUT);
        sqe->user_data = tag(event::poll, fd);
    }

    void drop(int fd, connection& peer) {
        peer.output.clear();
        peer.large = nullptr;
        peer.sending = false;
        peer.closes = true;
        close_when_done(fd, peer);
    }

    void close_when_done(int fd, connection& peer) {
        if ((!peer.closes && !peer.ended) || peer.sending) return;
        if (peer.receiving) {  // ends the multishot receive with 0
            ::shutdown(fd, SHUT_RDWR);
            return;
        }
        ::close(fd);
        peer.input.clear();
        peer.closes = false;
        peer.ended = false;
        peer.multishot = false;
    }

    http_options options_;
    bench::http_site site_;
    bench::ring ring_;
    bench::buffer_pool pool_;
    bench::date_line date_;
    std::vector<std::unique_ptr<connection>> connections_;
    std::array<int, 2> pipe_{-1, -1};
    int listener_ = -1;
};

http_options parse_options(int argc, char** argv) {
    static constexpr std::array<option, 5> known{{{"port", required_argument, nullptr, 'p'},
                                                  {"congestion", required_argument, nullptr, 'g'},
                                                  {"bulk", required_argument, nullptr, 'b'},
                                                  {"body-bytes", required_argument, nullptr, 'm'},
                                                  {nullptr, 0, nullptr, 0}}};
    http_options options;
    for (int name = 0; (name = ::getopt_long(argc, argv, "p:", known.data(), nullptr)) != -1;) {
        if (name == 'p') options.port = static_cast<std::uint16_t>(std::strtoul(optarg, nullptr, 10));
        if (name == 'g') options.congestion = optarg;
        if (name == 'b' && std::string_view{optarg} == "splice") options.way = bulk::splice;
        if (name == 'm') options.body_bytes_max = std::strtoull(optarg, nullptr, 10);
        if (name != '?') continue;
        fmt::print(stderr,
                   "usage: bench-limit-http [-p PORT] [--congestion NAME] [--bulk sendfile|splice]\n"
                   "                        [--body-bytes N] [DIRECTORY]\n");
        std::exit(2);
    }
    if (optind < argc) options.directory = argv[optind];
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    bench::raise_file_limit();
    http_server{parse_options(argc, argv)}.run();
}
