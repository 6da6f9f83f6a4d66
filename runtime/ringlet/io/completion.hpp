// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_block.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

struct io_uring_cqe;

namespace ringlet::io {

/// Receives the completions of a request that is not simply a job's one operation: multishot, or one that may have to
/// be submitted again. Its address is the request's user_data, so it must stay where it is until the last CQE.
struct alignas(8) completion {
    explicit completion(void (*handler)(completion&, std::int32_t res, std::uint32_t flags) noexcept) noexcept
        : on_cqe{handler} {}
    void (*on_cqe)(completion&, std::int32_t res, std::uint32_t flags) noexcept;
};

/// An entry of one of the loop's lists of things to be told: standing requests, which are told to end with the run, and
/// requests that wait for a buffer. In one list at a time.
struct listed {
    struct kind {
        void (*tell)(listed&) noexcept;
        /// Which request this is, for reports; null for one that is never standing.
        std::string (*describe)(const listed&) = nullptr;
    };
    explicit listed(const kind& what) noexcept : type{&what} {}
    const kind* type;
    ringlet::detail::list_link link;

    static listed& from_link(ringlet::detail::list_link& l) noexcept {
        return *reinterpret_cast<listed*>(reinterpret_cast<std::byte*>(&l) - offsetof(listed, link));
    }
};

namespace detail {

// The low bits of user_data say what the rest points to.
inline constexpr std::uint64_t tag_mask = 7;
inline constexpr std::uint64_t tag_job = 0;         // job_block: its one operation
inline constexpr std::uint64_t tag_completion = 1;  // io::completion
inline constexpr std::uint64_t tag_ignored = 2;     // nobody: cancel requests

}  // namespace detail
}  // namespace ringlet::io
