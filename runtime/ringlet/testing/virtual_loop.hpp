// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/loop.hpp>
#include <ringlet/testing/scripted_engine.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace ringlet::testing {

/// A loop under virtual time, for tests: time jumps when nothing can run, and a stuck test fails at once instead of
/// hanging. Operations are answered by the script of `engine()`.
class virtual_loop {
public:
    explicit virtual_loop(const loop_options& options = loop_options()) : virtual_loop{options, 64, 1024} {}
    virtual_loop(const loop_options& options, unsigned sq_entries, unsigned cq_entries)
        : virtual_loop{options, std::make_unique<scripted_engine>(sq_entries, cq_entries)} {}

    /// As `loop::run`.
    template <class T>
    T run(task<T> main) {
        return loop_.run(std::move(main));
    }

    /// Time since the loop was made.
    std::chrono::nanoseconds now() const noexcept { return engine_->virtual_now()->time_since_epoch(); }
    scripted_engine& engine() noexcept { return *engine_; }

private:
    virtual_loop(const loop_options& options, std::unique_ptr<scripted_engine> engine)
        : engine_{engine.get()}, loop_{std::move(engine), options} {}

    scripted_engine* engine_;
    loop loop_;
};

}  // namespace ringlet::testing
