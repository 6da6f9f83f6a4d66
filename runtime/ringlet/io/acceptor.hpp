// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/fd.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace ringlet::io {

/// A listening socket with one request that goes on accepting. Connections that come while nobody waits are kept, up to
/// `kept_max`; then accepting pauses. May be destroyed at any time, with the request in flight: it is told to end, and
/// what is needed until its last CQE lives on until then.
/// Maps to: IORING_OP_ACCEPT with IORING_ACCEPT_MULTISHOT, Linux 5.19; single accepts where the kernel has none.
class acceptor {
public:
    static constexpr std::size_t kept_max = 128;

    /// `shared`: other processes accept from the same socket, and go on when this one ends.
    explicit acceptor(owned_fd listening, bool shared = false);
    acceptor(acceptor&&) noexcept = default;
    acceptor& operator=(acceptor&&) noexcept = default;
    ~acceptor() = default;

    /// Stops listening, as destroying does. No job may be waiting.
    void close() noexcept { state_.reset(); }

    /// The listening socket; -1 once closed.
    fd_ref socket() const noexcept;

    /// Waits for the next connection.
    ///
    /// Result:    the connected socket, close-on-exec, blocking.
    /// Errors:    std::system_error as accept4(2), EMFILE among them; `cancelled`, and then no connection is lost: it
    ///            goes to the next wait.
    /// Lifetime:  borrows the acceptor until the co_await ends. One job waits at a time.
    /// Thread:    the loop's thread only.
    auto accept() noexcept { return wait{state_.get()}; }

private:
    struct state;
    struct release {
        void operator()(state* s) const noexcept;
    };

    class [[nodiscard("nothing happens until this is awaited")]] wait final : public leaf<wait, owned_fd> {
    public:
        explicit wait(state* s) noexcept : state_{s} {}
        static constexpr std::string_view name = "accept";
        bool start(ringlet::detail::job_block& job);
        result<owned_fd> outcome(ringlet::detail::job_block& job) noexcept;
        std::string subject() const;

    private:
        state* state_;
    };

    std::unique_ptr<state, release> state_;
};

}  // namespace ringlet::io
