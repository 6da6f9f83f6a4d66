// SPDX-License-Identifier: MIT
#include <ringlet/io/operation.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <array>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringlet::io::detail {

void cancel_operation(job_block& job) noexcept {
    if (job.has(job_block::cancel_sent)) return;
    job.set(job_block::cancel_sent);
    loop::current().cancel_request(reinterpret_cast<std::uint64_t>(&job));
}

std::string describe_fd(int fd) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (sys::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0) {
        std::array<char, INET6_ADDRSTRLEN> text{};
        if (peer.ss_family == AF_INET) {
            const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
            ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
            return fmt::format("{}:{}", text.data(), ntohs(v4.sin_port));
        }
        if (peer.ss_family == AF_INET6) {
            const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
            ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
            return fmt::format("[{}]:{}", text.data(), ntohs(v6.sin6_port));
        }
    }
    std::array<char, 4096> path{};
    if (const auto n = sys::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path.data(), path.size()); n > 0)
        return std::string{path.data(), static_cast<std::size_t>(n)};
    return fmt::format("fd {}", fd);
}

}  // namespace ringlet::io::detail
