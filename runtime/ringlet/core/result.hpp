// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/error.hpp>

#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace ringlet {

/// A value or a std::error_code: what `as_result(operation)` gives. `value()` throws std::system_error on an error;
/// `*r` and `r->` assert that there is a value.
template <class T>
class [[nodiscard("a result may hold an error: look at it")]] result {
public:
    using value_type = T;

    result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : has_value_{true} {
        std::construct_at(&value_, std::move(value));
    }
    result(std::error_code error) noexcept : has_value_{false}, error_{error} {}

    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : has_value_{other.has_value_} {
        if (has_value_)
            std::construct_at(&value_, std::move(other.value_));
        else
            std::construct_at(&error_, other.error_);
    }
    result& operator=(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        if (this != &other) {
            std::destroy_at(this);
            std::construct_at(this, std::move(other));
        }
        return *this;
    }
    ~result() {
        if (has_value_) std::destroy_at(&value_);
    }

    bool has_value() const noexcept { return has_value_; }
    explicit operator bool() const noexcept { return has_value_; }
    std::error_code error() const noexcept { return has_value_ ? std::error_code{} : error_; }

    T& operator*() & noexcept { return checked(); }
    T&& operator*() && noexcept { return std::move(checked()); }
    T* operator->() noexcept { return &checked(); }
    const T& operator*() const& noexcept { return const_cast<result*>(this)->checked(); }
    const T* operator->() const noexcept { return &const_cast<result*>(this)->checked(); }

    T& value() & { return has_value_ ? value_ : throw std::system_error{error_}; }
    T value() && {
        if (!has_value_) throw std::system_error{error_};
        return std::move(value_);
    }
    T value_or(T other) && { return has_value_ ? std::move(value_) : std::move(other); }

private:
    T& checked() noexcept {
        detail::require(has_value_, "this result holds an error: test it before you take its value");
        return value_;
    }

    bool has_value_;
    union {
        T value_;
        std::error_code error_;
    };
};

template <>
class [[nodiscard("a result may hold an error: look at it")]] result<void> {
public:
    using value_type = void;

    result() noexcept : has_value_{true} {}
    result(std::error_code error) noexcept : has_value_{false}, error_{error} {}

    bool has_value() const noexcept { return has_value_; }
    explicit operator bool() const noexcept { return has_value_; }
    std::error_code error() const noexcept { return has_value_ ? std::error_code{} : error_; }
    void value() const {
        if (!has_value_) throw std::system_error{error_};
    }

private:
    bool has_value_;
    union {  // left alone on success: std::error_code's default constructor is a function call
        std::error_code error_;
    };
};

}  // namespace ringlet
