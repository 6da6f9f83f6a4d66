// SPDX-License-Identifier: MIT
#pragma once

#include "common/digest.hpp"
#include "fetch/failure.hpp"
#include "fetch/part_state.hpp"
#include <ringlet/core/task.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace fetch {

/// Where a body goes, and what of it is there. Destroyed before `finish` has ended, it leaves nothing behind but what
/// another run can go on with.
class output {
public:
    output() = default;
    output(const output&) = delete;
    output& operator=(const output&) = delete;
    virtual ~output() = default;

    /// The version that comes, and what is there of it.
    [[nodiscard]] const part_state& state() const noexcept { return state_; }

    /// Begins with this version; what is there of another one is dropped. Throws failure.
    virtual ringlet::task<> begin(part_state version) = 0;
    /// Puts the next bytes of a segment in their place, or keeps them until more have come. Borrows them until the co_await
    /// ends. Throws failure.
    virtual ringlet::task<> write(std::size_t segment, std::span<const std::byte> bytes) = 0;
    /// Puts what has been kept of a segment in its place. Throws failure.
    virtual ringlet::task<> flush(std::size_t segment) = 0;
    /// Drops it instead.
    virtual void forget(std::size_t segment) noexcept = 0;
    /// The last segment, whose end nobody knew, ends here. After its `flush`. `certain`: as the server wants it.
    void end_here(bool certain) noexcept;
    /// All bytes have come. Result: the name under which they stand now. Throws failure.
    virtual ringlet::task<std::string> finish() = 0;

protected:
    part_state state_;
};

/// Writes to standard output as the bytes come. What is written cannot be taken back: that its digest is another than the one
/// that was announced is known at the end.
class standard_output final : public output {
public:
    /// `announced`: null for none.
    explicit standard_output(std::shared_ptr<const apps::wanted_digest> announced);

    ringlet::task<> begin(part_state version) override;
    ringlet::task<> write(std::size_t segment, std::span<const std::byte> bytes) override;
    ringlet::task<> flush(std::size_t segment) override;
    void forget(std::size_t) noexcept override {}
    ringlet::task<std::string> finish() override;

private:
    std::shared_ptr<const apps::wanted_digest> announced_;
    std::optional<apps::digest> digest_;
};

/// What is said of a digest that is not the one that was announced.
[[nodiscard]] failure checksum_failure(const apps::wanted_digest& announced, const std::string& got);

}  // namespace fetch
