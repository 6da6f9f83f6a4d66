// SPDX-License-Identifier: MIT
#include "compare/measure/call_counter.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include <sys/ptrace.h>
#include <sys/wait.h>

namespace comparison {
namespace {

constexpr unsigned long options =
    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
constexpr int stopped_at_call = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

// <sys/ptrace.h> of glibc 2.36 lacks it; linux/ptrace.h, which has it, cannot be included beside it.
constexpr auto get_syscall_info = static_cast<__ptrace_request>(0x420e);
struct syscall_info {
    std::uint8_t op;  // 1: entry
    std::uint8_t rest[87];
};

long request(__ptrace_request what, pid_t of, unsigned long address, unsigned long data) noexcept {
    return ::ptrace(what, of, reinterpret_cast<void*>(address), reinterpret_cast<void*>(data));
}

bool is_at_entry(pid_t of) noexcept {
    syscall_info info{};
    return request(get_syscall_info, of, sizeof info, reinterpret_cast<unsigned long>(&info)) > 0 && info.op == 1;
}

// Each thread that there is; those that come later are traced from their beginnings.
int seize_all(pid_t of) {
    std::error_code gone;
    for (const auto& each : std::filesystem::directory_iterator{fmt::format("/proc/{}/task", of), gone}) {
        const pid_t thread = std::stoi(each.path().filename().string());
        if (request(PTRACE_SEIZE, thread, 0, options) != 0) return errno;
        request(PTRACE_INTERRUPT, thread, 0, 0);
    }
    return gone.value();
}

// A thread that has stopped goes on, to its next call.
void let_go_on(pid_t thread, int status) noexcept {
    const int signal = WSTOPSIG(status);
    const bool is_event = status >> 16 != 0;
    const bool is_ours = is_event || signal == stopped_at_call || signal == SIGTRAP;
    request(PTRACE_SYSCALL, thread, 0, is_ours ? 0 : static_cast<unsigned long>(signal));
}

}  // namespace

call_counter::~call_counter() {
    if (shared_) shared_->is_over = true;
}

// When this thread ends, the kernel lets go of all that it traces.
void call_counter::trace(shared& all, pid_t of) {
    all.failure = seize_all(of);
    all.is_ready = true;
    while (all.failure == 0 && !all.is_over) {
        int status = 0;
        const pid_t thread = ::waitpid(-1, &status, WNOHANG | __WALL | __WNOTHREAD);
        if (thread < 0) return;
        if (thread == 0) {
            std::this_thread::sleep_for(std::chrono::microseconds{10});
            continue;
        }
        if (!WIFSTOPPED(status)) continue;
        if (WSTOPSIG(status) == stopped_at_call && is_at_entry(thread)) ++all.calls;
        let_go_on(thread, status);
    }
}

}  // namespace comparison
