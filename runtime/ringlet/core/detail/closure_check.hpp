// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <type_traits>

namespace ringlet::detail {

template <class L>
constexpr std::string_view pretty_name() noexcept {
    return __PRETTY_FUNCTION__;
}

/// True for the type of a lambda expression: no trait tells, but both compilers write it in the type's name, clang as
/// "[L = (lambda at file:1:2)]", g++ as "[with L = scope()::<lambda(int)>; ...]". A class template that only has a
/// closure among its arguments is none.
template <class L>
constexpr bool is_closure() noexcept {
    constexpr std::string_view name = pretty_name<L>();
    if (name.find("[L = (lambda at ") != name.npos) return true;
    const auto closure = name.find("<lambda(");
    if (closure == name.npos) return false;
    int open_brackets = 0;
    for (const char c : name.substr(name.find("L = "), closure - name.find("L = ")))
        open_brackets += c == '<' ? 1 : c == '>' ? -1 : 0;
    return open_brackets == 0;
}

/// Refuses a coroutine lambda with captures. The body is instantiated at the end of the translation unit, where the
/// closure type, incomplete inside its own body, is complete. A coroutine function whose first parameter is a reference
/// to a closure looks just like the closure's own body, and is refused with it.
template <class L>
void refuse_captures() noexcept {
    if constexpr (is_closure<L>()) {
        static_assert(std::is_empty_v<L>,
                      "a coroutine lambda must not capture: its captures die with the lambda, at the first suspension. "
                      "Pass them as arguments: spawn([](auto x) -> task<> {...}, x). "
                      "The same is said of a coroutine function whose first parameter is a reference to such a lambda: "
                      "let it take the lambda by value or by pointer");
    }
}

}  // namespace ringlet::detail
