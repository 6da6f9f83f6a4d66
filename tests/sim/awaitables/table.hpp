// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/testing/simulation.hpp>

#include <span>
#include <string_view>

namespace ringlet_tests {

/// An awaitable that the headers export, and a task that awaits it as programs do: what it waits for is there already, comes
/// later, does not come within a time limit. tests/lint/awaitables.py compares the names with the headers.
struct awaitable_row {
    std::string_view name;  ///< without ringlet::, a function with the types of its parameters
    ringlet::task<> (*scenario)(ringlet::testing::simulation&);
};

std::span<const awaitable_row> core_rows() noexcept;
std::span<const awaitable_row> time_rows() noexcept;
std::span<const awaitable_row> sync_rows() noexcept;
std::span<const awaitable_row> operation_rows() noexcept;
std::span<const awaitable_row> io_rows() noexcept;
std::span<const awaitable_row> net_rows() noexcept;
std::span<const awaitable_row> fs_rows() noexcept;
std::span<const awaitable_row> os_rows() noexcept;
std::span<const awaitable_row> http_rows() noexcept;
std::span<const awaitable_row> tls_rows() noexcept;

}  // namespace ringlet_tests
