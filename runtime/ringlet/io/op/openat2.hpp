// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/fd.hpp>
#include <ringlet/io/operation.hpp>

#include <cstdint>
#include <linux/openat2.h>
#include <string>
#include <string_view>

namespace ringlet::io {

/// Opens a file relative to a directory, under the rules of `how` (RESOLVE_BENEATH and its kin).
///
/// Result:    the descriptor. One opened while the job is being cancelled is delivered.
/// Errors:    std::system_error as openat2(2); `cancelled`.
/// Lifetime:  borrows the directory, `path` and `how` until the co_await ends.
/// Thread:    the loop's thread only.
/// Maps to:   IORING_OP_OPENAT2, Linux 5.6; io_uring_prep_openat2(3), openat2(2).
class [[nodiscard("nothing is submitted until this is awaited")]] openat2_op final
    : public operation<openat2_op, owned_fd> {
public:
    openat2_op(fd_ref directory, const char* path, open_how& how) noexcept : fd_{directory}, path_{path}, how_{&how} {}

    static constexpr std::string_view name = "open";
    void prepare(io_uring_sqe& sqe) noexcept { io_uring_prep_openat2(&sqe, fd_.get(), path_, how_); }
    owned_fd finish(std::int32_t res) noexcept { return owned_fd{res}; }
    std::string subject() const { return path_; }

private:
    fd_ref fd_;
    const char* path_;
    open_how* how_;
};

}  // namespace ringlet::io
