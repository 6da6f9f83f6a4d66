// SPDX-License-Identifier: MIT
#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string_view>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ringlet::io::detail {

void cancel_operation(job_block& job) noexcept {
    if (job.has(job_block::cancel_sent)) return;
    job.set(job_block::cancel_sent);
    loop::current().cancel_request(reinterpret_cast<std::uint64_t>(&job));
}

namespace {

// Empty where there is none: a port or a name that nobody has given.
std::string text_of(const sockaddr_storage& address, socklen_t length) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        if (v4.sin_port != 0) return fmt::format("{}:{}", text.data(), ntohs(v4.sin_port));
    }
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        if (v6.sin6_port != 0) return fmt::format("[{}]:{}", text.data(), ntohs(v6.sin6_port));
    }
    constexpr std::size_t offset = offsetof(sockaddr_un, sun_path);
    if (address.ss_family == AF_UNIX && length > offset) {
        const std::string_view name{reinterpret_cast<const sockaddr_un&>(address).sun_path, length - offset};
        if (name.front() == '\0') return fmt::format("@{}", name.substr(1));
        return std::string{name.substr(0, name.find('\0'))};
    }
    return {};
}

// The process that a pidfd is of, from "Pid:\t1234" of /proc/self/fdinfo; empty when it is none, or has ended.
std::string process_of(int fd) {
    const owned_fd info{sys::open(fmt::format("/proc/self/fdinfo/{}", fd).c_str(), O_RDONLY | O_CLOEXEC)};
    std::array<char, 512> buffer{};
    const auto n = info ? sys::read(info.get(), buffer.data(), buffer.size()) : -1;
    if (n <= 0) return {};
    const std::string_view text{buffer.data(), static_cast<std::size_t>(n)};
    constexpr std::string_view label = "\nPid:\t";
    const std::size_t found = text.find(label);
    if (found == text.npos) return {};
    const std::string_view number = text.substr(found + label.size());
    return fmt::format("process {}", number.substr(0, number.find('\n')));
}

}  // namespace

std::string describe_fd(int fd) {
    for (const auto get : {&sys::getpeername, &sys::getsockname}) {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        if (get(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) continue;
        if (std::string text = text_of(address, length); !text.empty()) return text;
    }
    std::array<char, 4096> path{};
    const auto n = sys::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path.data(), path.size());
    if (n <= 0) return fmt::format("fd {}", fd);
    const std::string_view target{path.data(), static_cast<std::size_t>(n)};
    if (target == "anon_inode:[pidfd]" || target.starts_with("pidfd:["))
        if (std::string process = process_of(fd); !process.empty()) return process;
    return std::string{target};
}

}  // namespace ringlet::io::detail
