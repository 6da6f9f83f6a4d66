// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/memory_engine.hpp>

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

namespace ringlet::testing {

/// An engine without a kernel: time is virtual, and a script answers each SQE.
///
/// Unless the script says otherwise, IORING_OP_NOP completes with 0, IORING_OP_ASYNC_CANCEL ends the request it names
/// with -ECANCELED (or fails with -ENOENT), and everything else stays pending until `complete`.
class scripted_engine final : public io::memory_engine {
public:
    /// Called for each SQE that is submitted. Returns true when it has dealt with it (e.g. by `complete` or `hold`).
    using script = std::function<bool(scripted_engine&, const io_uring_sqe&)>;

    explicit scripted_engine(unsigned sq_entries = 64, unsigned cq_entries = 1024);

    void set_script(script answer) { script_ = std::move(answer); }

    /// Posts a CQE. Without IORING_CQE_F_MORE it is the request's last.
    void complete(std::uint64_t user_data, std::int32_t res, std::uint32_t flags = 0);
    /// Does `what` when virtual time has come to `after` from now: to complete something later.
    void at(std::chrono::nanoseconds after, std::function<void(scripted_engine&)> what);

    /// Every SQE submitted so far, in order.
    const std::vector<io_uring_sqe>& submitted() const noexcept { return submitted_; }
    /// Those of them whose last CQE has not been posted.
    std::size_t pending() const noexcept { return pending_.size(); }
    /// The oldest pending SQE with this opcode; fails when there is none.
    const io_uring_sqe& pending_operation(std::uint8_t opcode) const;
    /// How often `enter` was called.
    std::size_t enters() const noexcept { return enters_; }
    /// The next `enter` takes no SQE and posts nothing, as one that a signal interrupts.
    void interrupt_next_enter() noexcept { interrupted_ = true; }

    std::string_view name() const noexcept override { return "scripted"; }
    void enter(unsigned wanted, deadline until) override;
    const deadline* virtual_now() const noexcept override { return &now_; }

    /// Takes the next provided buffer, writes `bytes` into it and completes `user_data` with it, or with -ENOBUFS. `error`:
    /// the result in place of the number of bytes.
    void complete_with_buffer(std::uint64_t user_data, std::string_view bytes, std::uint32_t flags = 0,
                              std::int32_t error = 0);

private:
    void answer(const io_uring_sqe& sqe);
    void cancel(const io_uring_sqe& sqe);

    deadline now_{};
    script script_;
    std::vector<io_uring_sqe> submitted_;
    std::vector<io_uring_sqe> pending_;
    std::multimap<deadline, std::function<void(scripted_engine&)>> events_;
    std::size_t enters_ = 0;
    bool interrupted_ = false;
};

}  // namespace ringlet::testing
