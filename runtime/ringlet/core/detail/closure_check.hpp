// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <type_traits>

namespace ringlet::detail {

template <class L>
constexpr std::string_view pretty_name() noexcept {
    return __PRETTY_FUNCTION__;
}

/// True for the type of a lambda expression: no trait tells, but both compilers write it in the type's name.
template <class L>
constexpr bool is_closure() noexcept {
    if constexpr (std::is_class_v<L> && requires { &L::operator(); }) {
        constexpr std::string_view name = pretty_name<L>();
        return name.find("(lambda at ") != name.npos || name.find("<lambda(") != name.npos;
    }
    return false;
}

/// Refuses a coroutine lambda with captures. The body is instantiated at the end of the translation unit, where the
/// closure type, incomplete inside its own body, is complete.
template <class L>
void refuse_captures() noexcept {
    if constexpr (is_closure<L>()) {
        static_assert(std::is_empty_v<L>,
                      "a coroutine lambda must not capture: its captures die with the lambda, at the first suspension. "
                      "Pass them as arguments: spawn([](auto x) -> task<> {...}, x)");
    }
}

}  // namespace ringlet::detail
