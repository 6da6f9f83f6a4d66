// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <memory>
#include <utility>

namespace ringlet::detail {

/// What becomes of the cancellations that one time limit causes, where its error cannot be made at the end of its block
/// (time/timeout_scope). Shared by the limit and by each `cancelled` that is thrown because of it: this is how one of
/// them is told from any other, however long it is kept and wherever it is thrown on.
class expiry : public std::enable_shared_from_this<expiry> {
public:
    expiry() noexcept = default;
    expiry(const expiry&) = delete;
    expiry& operator=(const expiry&) = delete;

    /// What is thrown in the place of those cancellations, from the end of the block on.
    virtual std::exception_ptr error() const noexcept = 0;

    /// The block has ended, and nothing else is due.
    void answer() noexcept { answers_ = true; }
    /// The block has ended while something around it was due, too: that speaks. Null where that is no such limit.
    void pass_on_to(std::shared_ptr<expiry> other) noexcept { passed_to_ = std::move(other); }
    /// Who answers now, if anybody does.
    static std::shared_ptr<expiry> who_answers(std::shared_ptr<expiry> of) noexcept {
        while (of && of->passed_to_) of = of->passed_to_;
        return of && of->answers_ ? of : nullptr;
    }

protected:
    ~expiry() = default;

private:
    std::shared_ptr<expiry> passed_to_;
    bool answers_ = false;
};

/// The limit whose error is to be thrown in the place of `error`; null unless that is a `cancelled` of a limit whose
/// block has ended.
std::shared_ptr<expiry> expiry_behind(const std::exception_ptr& error) noexcept;

}  // namespace ringlet::detail
