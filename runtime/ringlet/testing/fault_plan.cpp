// SPDX-License-Identifier: MIT
#include <ringlet/testing/fault_plan.hpp>

#include <fmt/format.h>

#include <numeric>

namespace ringlet::testing {
namespace {

constexpr std::array<std::string_view, fault_kinds> names{
    "short_read",          "short_write",      "interrupted",        "late_cancel",    "busy_cancel",
    "lost_more",           "connection_reset", "connection_refused", "no_descriptors", "no_space",
    "no_buffers",          "no_memory",        "no_frame",           "disk_error",     "datagram_lost",
    "datagram_duplicated", "datagram_delayed",
};

}  // namespace

std::string_view name_of(fault kind) noexcept { return names[static_cast<std::size_t>(kind)]; }

std::size_t fault_counts::total() const noexcept {
    return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0});
}

void fault_counts::add(const fault_counts& other) noexcept {
    for (std::size_t i = 0; i < fault_kinds; ++i) counts_[i] += other.counts_[i];
}

std::string fault_counts::to_string() const {
    std::string out;
    for (std::size_t i = 0; i < fault_kinds; ++i)
        if (counts_[i] != 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", names[i], counts_[i]);
    return out.empty() ? "no faults" : out;
}

fault_plan fault_plan::harmless(double probability) {
    fault_plan plan;
    for (const fault kind : {fault::short_read, fault::short_write, fault::interrupted, fault::late_cancel,
                             fault::busy_cancel, fault::lost_more, fault::no_buffers})
        plan[kind] = probability;
    return plan;
}

fault_plan fault_plan::everything(double probability) {
    fault_plan plan = harmless(probability);
    for (const fault kind : {fault::connection_reset, fault::connection_refused, fault::no_descriptors, fault::no_space,
                             fault::no_memory, fault::no_frame, fault::disk_error})
        plan[kind] = probability / 10;
    for (const fault kind : {fault::datagram_lost, fault::datagram_duplicated, fault::datagram_delayed})
        plan[kind] = probability;
    return plan;
}

}  // namespace ringlet::testing
