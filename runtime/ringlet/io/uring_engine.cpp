// SPDX-License-Identifier: MIT
#include <ringlet/io/detail/newer_abi.hpp>
#include <ringlet/io/uring_engine.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <system_error>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>

namespace ringlet::io {
namespace {

// The first set that the kernel takes is used. DEFER_TASKRUN is what makes the difference (docs/benchmarks.md).
constexpr std::array setup_ladder{
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
        IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
        IORING_SETUP_CLAMP,
    IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
};

std::string first_line(const char* path, std::string_view key = "") {
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key)) return line.substr(key.size());
    return {};
}

// Its rings are locked memory, of which all processes of a user share what the limit allows.
bool locked_memory_is_limited() noexcept {
    rlimit limit{};
    return ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

[[noreturn]] void raise_setup(int error) {
    if (error == ENOMEM && locked_memory_is_limited())
        throw engine_unavailable{
            error, std::generic_category(),
            "io_uring is not available here: no memory that may be locked is left; raise the limit, ulimit -l"};
    if (error == EPERM || error == EACCES || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL) {
        utsname system{};
        ::uname(&system);
        throw engine_unavailable{
            error, std::generic_category(),
            detail::explain_unavailable(error, first_line("/proc/sys/kernel/io_uring_disabled"),
                                        first_line("/proc/self/status", "Seccomp:\t"), system.release)};
    }
    throw std::system_error{error, std::generic_category(), "io_uring_setup (limit: ulimit -n)"};
}

void judge_failed_enter(int res) {
    // EBUSY and EAGAIN: the caller reaps and comes again. ETIME and EINTR are normal.
    if (res == -ETIME || res == -EINTR || res == -EBUSY || res == -EAGAIN) return;
    throw std::system_error{-res, std::generic_category(), "io_uring_enter"};
}

}  // namespace

std::string detail::explain_unavailable(int error, std::string_view disabled_sysctl, std::string_view seccomp_mode,
                                        std::string_view kernel_release) {
    std::string text = "io_uring is not available here: ";
    if (error == EPERM && (disabled_sysctl == "1" || disabled_sysctl == "2")) {
        text += "the sysctl kernel.io_uring_disabled is " + std::string{disabled_sysctl} +
                "; as root, run: sysctl -w kernel.io_uring_disabled=0";
    } else if (seccomp_mode == "2" && (error == EPERM || error == ENOSYS)) {
        text +=
            "a seccomp filter denies it, as containers' default profiles do; allow the system calls io_uring_setup, "
            "io_uring_enter and io_uring_register, e.g. docker run --security-opt seccomp=unconfined";
    } else if (error == EPERM || error == EACCES) {
        text += "a security module denies it; look into the audit log for io_uring_setup";
    } else {
        text += "the kernel, " + std::string{kernel_release} +
                ", is too old or was built without it; Linux 6.1 or newer with CONFIG_IO_URING is needed";
    }
    return text;
}

uring_engine::uring_engine(const ring_sizes& sizes) {
    int error = EINVAL;
    for (const unsigned flags : setup_ladder) {
        io_uring_params params{};
        params.flags = flags;
        params.cq_entries = sizes.cq_entries;
        error = -io_uring_queue_init_params(sizes.sq_entries, &ring_, &params);
        if (error != EINVAL) break;
    }
    if (error != 0) raise_setup(error);
    ring_.is_set_up = true;
    ring_.not_for_children = ring_.ring_fd;
    if ((ring_.features & IORING_FEAT_EXT_ARG) == 0 || (ring_.features & IORING_FEAT_NODROP) == 0) raise_setup(EINVAL);

    enter_fd_ = ring_.ring_fd;
    enter_flags_ = IORING_ENTER_GETEVENTS;
    // DEFER_TASKRUN means Linux 6.1; before 6.0 registering the ring's descriptor deadlocks at exit on some kernels.
    if ((ring_.flags & IORING_SETUP_DEFER_TASKRUN) != 0 && io_uring_register_ring_fd(&ring_) == 1) {
        enter_fd_ = ring_.enter_ring_fd;
        enter_flags_ |= IORING_ENTER_REGISTERED_RING;
    }
    if ((ring_.features & detail::feature_no_iowait) != 0) enter_flags_ |= detail::enter_no_iowait;
    // A forked child must not find the ring in its memory.
    ::madvise(ring_.sq.sqes, (ring_.sq.ring_mask + 1u) * sizeof(io_uring_sqe), MADV_DONTFORK);
    ::madvise(ring_.sq.ring_ptr, ring_.sq.ring_sz, MADV_DONTFORK);

    sqes = ring_.sq.sqes;
    sq_mask = *ring_.sq.kring_mask;
    cqes = ring_.cq.cqes;
    cq_mask = *ring_.cq.kring_mask;
    cq_head = ring_.cq.khead;
    cq_tail = ring_.cq.ktail;
    for (unsigned i = 0; i <= sq_mask; ++i) ring_.sq.array[i] = i;
    check_nop();
}

void uring_engine::check_nop() {
    io_uring_prep_nop(&sqes[sq_tail++ & sq_mask]);
    try {
        enter(1, no_deadline);
    } catch (const std::system_error& denied) {  // a filter that lets rings be made
        raise_setup(denied.code().value());
    }
    const unsigned head = *cq_head;
    const int res = head == *cq_tail ? -EOPNOTSUPP : cqes[head & cq_mask].res;
    if (res != 0) raise_setup(-res);
    std::atomic_ref{*cq_head}.store(head + 1, std::memory_order_release);
}

void uring_engine::enter(unsigned wanted, deadline until) {
    std::atomic_ref{*ring_.sq.ktail}.store(sq_tail, std::memory_order_release);
    const int res = until == no_deadline || wanted == 0
                        ? io_uring_enter2(static_cast<unsigned>(enter_fd_), sq_tail - sq_head, wanted, enter_flags_,
                                          nullptr, _NSIG / 8)
                        : enter_until(wanted, until);
    sq_head = std::atomic_ref{*ring_.sq.khead}.load(std::memory_order_acquire);
    if (res < 0) [[unlikely]]
        judge_failed_enter(res);
}

// Apart from `enter`, whose registers it would cost.
int uring_engine::enter_until(unsigned wanted, deadline until) noexcept {
    const auto left = std::max(until - clock::now(), clock::duration::zero());
    __kernel_timespec limit{};
    limit.tv_sec = std::chrono::floor<std::chrono::seconds>(left).count();
    limit.tv_nsec = (left % std::chrono::seconds{1}).count();
    io_uring_getevents_arg arg{};
    arg.sigmask_sz = _NSIG / 8;
    arg.ts = reinterpret_cast<std::uint64_t>(&limit);
    return io_uring_enter2(static_cast<unsigned>(enter_fd_), sq_tail - sq_head, wanted,
                           enter_flags_ | IORING_ENTER_EXT_ARG, reinterpret_cast<sigset_t*>(&arg), sizeof arg);
}

bool uring_engine::completions_waiting() const noexcept {
    const unsigned flags = std::atomic_ref{*ring_.sq.kflags}.load(std::memory_order_relaxed);
    return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0 ||
           *cq_head != std::atomic_ref{*cq_tail}.load(std::memory_order_acquire);
}

int uring_engine::register_buffers(io_uring_buf_reg& ring) noexcept {
    return io_uring_register_buf_ring(&ring_, &ring, 0);
}

void uring_engine::unregister_buffers(unsigned group) noexcept {
    io_uring_unregister_buf_ring(&ring_, static_cast<int>(group));
}

std::unique_ptr<engine> make_uring_engine(const ring_sizes& sizes) { return std::make_unique<uring_engine>(sizes); }

}  // namespace ringlet::io
