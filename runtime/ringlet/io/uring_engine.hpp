// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/engine.hpp>
#include <ringlet/io/private_fd.hpp>

#include <liburing.h>

namespace ringlet::io {

/// The io_uring engine. Everything is done on the thread that made it.
class uring_engine final : public engine {
public:
    explicit uring_engine(const ring_sizes& sizes);

    std::string_view name() const noexcept override { return "io_uring"; }
    void enter(unsigned wanted, deadline until) override;
    bool completions_waiting() const noexcept override;
    int register_buffers(io_uring_buf_reg& ring) noexcept override;
    void unregister_buffers(unsigned group) noexcept override;

    unsigned setup_flags() const noexcept { return ring_.flags; }

private:
    void check_nop();
    [[gnu::noinline]] int enter_until(unsigned wanted, deadline until) noexcept;

    struct ring : io_uring {
        ring() noexcept : io_uring{} {}
        ring(const ring&) = delete;
        ring& operator=(const ring&) = delete;
        ~ring() {
            not_for_children = -1;
            if (is_set_up) io_uring_queue_exit(this);
        }
        bool is_set_up = false;
        // Else the ring, and the files of what is in flight on it, outlive the parent.
        int not_for_children = -1;
        closed_on_fork guard{not_for_children};
    };

    ring ring_;
    unsigned enter_flags_ = 0;
    int enter_fd_ = -1;
};

}  // namespace ringlet::io
