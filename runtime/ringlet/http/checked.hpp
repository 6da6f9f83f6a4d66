// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <optional>
#include <string_view>
#include <utility>

namespace ringlet::http {

/// A value, or the reason why there is none.
///
/// For input that comes from outside and may simply be wrong: nothing is thrown, and the reason is a sentence fragment
/// for people ("port out of range"), with static storage. Check before use, as with std::optional.
template <typename T>
class [[nodiscard]] checked {
public:
    checked(const T& value) : value_{value} {}
    checked(T&& value) noexcept : value_{std::move(value)} {}

    /// Makes the failed form. `reason` is not empty and lives as long as the program (a literal).
    static checked failure(std::string_view reason) noexcept { return checked{std::nullopt, reason}; }

    [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
    [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

    /// Why there is no value; empty when there is one.
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }

    [[nodiscard]] T& operator*() & noexcept {
        assert(value_ && "checked<T>: look at has_value() first");
        return *value_;
    }
    [[nodiscard]] const T& operator*() const& noexcept {
        assert(value_ && "checked<T>: look at has_value() first");
        return *value_;
    }
    [[nodiscard]] T&& operator*() && noexcept {
        assert(value_ && "checked<T>: look at has_value() first");
        return std::move(*value_);
    }
    [[nodiscard]] T* operator->() noexcept { return &**this; }
    [[nodiscard]] const T* operator->() const noexcept { return &**this; }

private:
    checked(std::nullopt_t, std::string_view reason) noexcept : reason_{reason} {}

    std::optional<T> value_;
    std::string_view reason_;
};

}  // namespace ringlet::http
