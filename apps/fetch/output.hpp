// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fetch {

/// Where a body goes. Destroyed before `finish` has ended, it leaves nothing behind.
class output {
public:
    output() = default;
    output(const output&) = delete;
    output& operator=(const output&) = delete;
    virtual ~output() = default;

    /// Takes the next bytes. Borrows them until the co_await ends. Throws failure.
    virtual ringlet::task<> write(std::span<const std::byte> bytes) = 0;
    /// All bytes have come. Result: the name under which they stand now. Throws failure.
    virtual ringlet::task<std::string> finish() = 0;
};

/// Writes to standard output as the bytes come.
class standard_output final : public output {
public:
    ringlet::task<> write(std::span<const std::byte> bytes) override;
    ringlet::task<std::string> finish() override;
};

}  // namespace fetch
