// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringlet::testing {

/// What a simulated kernel may do to a program.
enum class fault : std::uint8_t {
    short_read,           ///< fewer bytes than were there, from a stream or a file
    short_write,          ///< fewer bytes than there was room for
    interrupted,          ///< EINTR or EBUSY: an enter that takes and brings nothing
    late_cancel,          ///< a request that is cancelled completes first: the cancellation finds nothing (ENOENT)
    busy_cancel,          ///< a request that is cancelled is being done (EALREADY): it ends a little later, either way
    lost_more,            ///< a multishot request ends though nothing is wrong: its CQE lacks IORING_CQE_F_MORE
    connection_reset,     ///< ECONNRESET, and EPIPE afterwards, to both sides of a TCP connection
    connection_refused,   ///< ECONNREFUSED from connect, though somebody listens
    no_descriptors,       ///< EMFILE from socket, accept and open
    no_space,             ///< ENOSPC from write and fallocate, after none or a part of the bytes
    no_buffers,           ///< ENOBUFS: no provided buffer though there are, or no memory for a datagram
    no_memory,            ///< ENOMEM in place of a request's result
    no_frame,             ///< std::bad_alloc when a frame or block of the runtime is made
    disk_error,           ///< EIO from read, write and fsync of a file
    datagram_lost,        ///< one that was sent does not arrive
    datagram_duplicated,  ///< it arrives twice
    datagram_delayed,     ///< it arrives after others that were sent later
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(fault::datagram_delayed) + 1;

std::string_view name_of(fault kind) noexcept;

/// How often each happened.
class fault_counts {
public:
    std::size_t operator[](fault kind) const noexcept { return counts_[static_cast<std::size_t>(kind)]; }
    std::size_t& operator[](fault kind) noexcept { return counts_[static_cast<std::size_t>(kind)]; }
    std::size_t total() const noexcept;
    void add(const fault_counts& other) noexcept;
    /// "short_read 12, late_cancel 3", without those that did not happen.
    std::string to_string() const;

private:
    std::array<std::size_t, fault_kinds> counts_{};
};

/// How probable each fault is whenever it could happen, and how long things take.
class fault_plan {
public:
    /// No faults; what the kernel may do at any time still differs with the seed: latency, and the order of what happens at
    /// the same time.
    fault_plan() = default;

    /// What a correct kernel and network do to every program: short transfers, interruptions, late cancellations, lost
    /// IORING_CQE_F_MORE, ENOBUFS of provided buffers. A program must cope as if nothing were.
    static fault_plan harmless(double probability = 0.05);
    /// Everything, the harmless at `probability`, errors at a tenth of it.
    static fault_plan everything(double probability = 0.05);

    double operator[](fault kind) const noexcept { return probability_[static_cast<std::size_t>(kind)]; }
    double& operator[](fault kind) noexcept { return probability_[static_cast<std::size_t>(kind)]; }
    fault_plan& with(fault kind, double probability) noexcept {
        (*this)[kind] = probability;
        return *this;
    }

    /// A completion, a segment or a datagram takes between nothing and so long.
    std::chrono::nanoseconds latency_max{std::chrono::microseconds{200}};
    /// A datagram that is delayed takes so long at most.
    std::chrono::nanoseconds delay_max{std::chrono::milliseconds{50}};

private:
    std::array<double, fault_kinds> probability_{};
};

}  // namespace ringlet::testing
