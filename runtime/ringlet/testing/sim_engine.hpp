// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/memory_engine.hpp>
#include <ringlet/testing/detail/buffer_watch.hpp>
#include <ringlet/testing/detail/kernel.hpp>
#include <ringlet/testing/detail/world.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ringlet::testing {

/// One operation that is to fail whatever the seed says.
struct planned_failure {
    std::uint64_t operation = 0;  ///< counted from 1 in the order of submission, cancel requests apart; 0 for none
    int error = 0;                ///< errno
};

/// The simulated ring: takes SQEs and gives CQEs as the kernel's does, from a kernel in memory, in virtual time. See
/// `simulation`, which makes one.
class sim_engine final : public io::memory_engine {
public:
    sim_engine(detail::world& where, detail::kernel& with, const io::ring_sizes& sizes);
    ~sim_engine() override;

    std::string_view name() const noexcept override { return "simulation"; }
    void enter(unsigned wanted, deadline until) override;
    /// Always: so it is entered after each resumption, and can let things happen between any two.
    bool completions_waiting() const noexcept override { return true; }
    int register_buffers(io_uring_buf_reg& ring) noexcept override;
    void unregister_buffers(unsigned group) noexcept override;
    const deadline* virtual_now() const noexcept override { return &world_->now(); }
    bool waits_for_ever() const noexcept override;
    std::unique_ptr<io::thread_pool> make_threads() override;

    /// Called at the beginning of each enter, with the number of that enter.
    void on_enter(std::function<void(std::uint64_t)> what) { on_enter_ = std::move(what); }
    void fail(const planned_failure& which) noexcept { planned_ = which; }
    /// Opcodes of the operations so far, in the order of submission.
    const std::vector<std::uint8_t>& operations() const noexcept { return operations_; }
    std::uint64_t enters() const noexcept { return enters_; }
    /// Takes the provided buffers that the program has given back, as each enter does.
    void look_at_returned_buffers();

private:
    struct request;
    struct outcome {
        std::int64_t res = 0;
        std::uint32_t flags = 0;
        short wanted = 0;  ///< with -EAGAIN: what to wait for, at `at`
        std::shared_ptr<detail::open_file> at = nullptr;
    };

    void submit(const io_uring_sqe& sqe);
    void begin(std::unique_ptr<request> r);
    void go_on(request& r);
    outcome perform(request& r);
    outcome perform_borrowing(request& r);
    outcome transfer(request& r);
    outcome receive_message(request& r);
    outcome receive_provided(request& r);
    outcome send_message(request& r);
    outcome accept(request& r);
    outcome connect(request& r);
    outcome open(request& r);
    outcome statx(request& r);
    static std::int64_t check_splice(const request& r) noexcept;
    outcome splice(request& r);
    void watch_memory(request& r);
    void finish(request& r, std::int64_t res, std::uint32_t flags);
    void tell(request& r, std::int32_t res, std::uint32_t flags, bool last);
    void told(request& r, std::int32_t res, std::uint32_t flags, bool last);
    void cancel(const io_uring_sqe& sqe);
    void memory_was_changed(const request& r);
    bool may_wait(const request& r) const noexcept;

    struct buffer_group {
        io_uring_buf_ring* ring = nullptr;
        unsigned entries = 0;
        std::uint16_t seen = 0;
        std::vector<bool> ours;  // by buffer: the kernel's, not the program's
    };

    detail::world* world_;
    detail::kernel* kernel_;
    std::unordered_map<std::uint64_t, std::unique_ptr<request>> requests_;        // by number
    std::unordered_multimap<std::uint64_t, std::uint64_t> numbers_by_user_data_;  // never walked
    std::map<unsigned, buffer_group> groups_;
    std::function<void(std::uint64_t)> on_enter_;
    planned_failure planned_;
    std::vector<std::uint8_t> operations_;
    std::uint64_t numbered_ = 0;
    std::uint64_t enters_ = 0;
    unsigned idle_enters_ = 0;
};

}  // namespace ringlet::testing
