// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/memory_engine.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace ringlet::testing {

/// What chaos has done, so that a test can see that it did something.
struct chaos_counts {
    std::size_t shortened = 0;    ///< requests for fewer bytes than were asked for
    std::size_t made_async = 0;   ///< requests sent to the kernel's workers
    std::size_t interrupted = 0;  ///< enters that did nothing, as after EINTR or EBUSY
    std::size_t held_back = 0;    ///< completions that came a turn later
    std::size_t reordered = 0;    ///< completions that overtook others
};

/// Stands between a loop and a real engine and makes everything happen that the kernel may do and seldom does: short reads
/// and writes on streams and files, requests that a worker does, interrupted and refused enters, completions of different
/// requests in another order or later, queues of two and four entries. One seed decides all of it; but the kernel has its
/// own timing, so a run is repeated roughly, not exactly.
///
/// What is asked for is still done: a program that copes with the kernel's own freedom notices nothing. One thing needs
/// help: a cancellation that meets a worker which is just about to wait by poll gets EALREADY, and the request goes on for
/// ever (Linux 6.18; 4 of 60,000 in a probe). Only requests that were sent to a worker can meet that, and only this engine
/// sends those that wait, so it asks again.
class chaos_engine final : public io::memory_engine {
public:
    chaos_engine(std::unique_ptr<io::engine> real, std::uint64_t seed);

    std::string_view name() const noexcept override { return "chaos"; }
    void enter(unsigned wanted, deadline until) override;
    bool completions_waiting() const noexcept override;
    bool look() override;
    int register_buffers(io_uring_buf_reg& ring) noexcept override { return real_->register_buffers(ring); }
    void unregister_buffers(unsigned group) noexcept override { real_->unregister_buffers(group); }

    const chaos_counts& counts() const noexcept { return counts_; }

private:
    bool one_in(unsigned n) { return random_() % n == 0; }
    void submit_some();
    void disturb(io_uring_sqe& sqe);
    void shorten(std::uint32_t& bytes);
    void note_submitted(io_uring_sqe& sqe);
    bool concerns_program(io_uring_cqe& cqe);
    void gather();
    void deliver();

    std::unique_ptr<io::engine> real_;
    std::mt19937_64 random_;
    std::vector<io_uring_cqe> held_;                       // came, and is not yet told; in the order of each request
    std::map<std::uint64_t, unsigned> in_flight_;          // by user_data; cancellations apart
    std::map<std::uint64_t, io_uring_sqe> cancellations_;  // by the user_data that they have with us
    std::uint64_t cancellations_begun_ = 0;
    chaos_counts counts_;
};

}  // namespace ringlet::testing
