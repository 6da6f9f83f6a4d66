// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <tuple>
#include <type_traits>

namespace ringlet::detail {

/// The parameter types of a function, or void where they cannot be told (a template, an overload).
template <class F>
struct parameters {
    using type = void;
};
template <class F>
    requires requires { &F::operator(); }
struct parameters<F> : parameters<decltype(&F::operator())> {};
template <class R, class... P>
struct parameters<R (*)(P...)> {
    using type = std::tuple<P...>*;
};
template <class R, class... P>
struct parameters<R (*)(P...) noexcept> : parameters<R (*)(P...)> {};
template <class R, class C, class... P>
struct parameters<R (C::*)(P...)> : parameters<R (*)(P...)> {};
template <class R, class C, class... P>
struct parameters<R (C::*)(P...) const> : parameters<R (*)(P...)> {};
template <class R, class C, class... P>
struct parameters<R (C::*)(P...) noexcept> : parameters<R (*)(P...)> {};
template <class R, class C, class... P>
struct parameters<R (C::*)(P...) const noexcept> : parameters<R (*)(P...)> {};

template <class P, class Arg, class Stored = std::unwrap_ref_decay_t<Arg>>
inline constexpr bool binds_a_temporary =
    std::is_reference_v<P> && !std::is_reference_v<Stored> && !std::is_same_v<std::remove_cvref_t<P>, Stored> &&
    !std::is_base_of_v<std::remove_cvref_t<P>, Stored>;

/// As what a job keeps an argument for a parameter of type P: decayed, as std::thread does; but where a reference would
/// bind to a temporary made from that (`const std::string&` from a literal), the temporary itself.
template <class P, class Arg>
using stored_argument =
    std::conditional_t<binds_a_temporary<P, Arg>, std::remove_cvref_t<P>, std::unwrap_ref_decay_t<Arg>>;

/// How a kept argument goes to a parameter of type P: by lvalue to T&, else by rvalue (values, const&, &&).
template <class P, class Kept>
using passed_argument =
    std::conditional_t<std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>, Kept&, Kept&&>;

/// What is kept for one call of `F` with `Args`, the function itself first, and as what each of the rest is passed.
/// Where the parameters cannot be told, all go by rvalue if the function takes them so, else by lvalue.
template <class F, class Parameters, class... Args>
struct stored_call {
    using type = std::tuple<F, std::unwrap_ref_decay_t<Args>...>;
    using passed = std::conditional_t<std::is_invocable_v<F&, std::unwrap_ref_decay_t<Args>...>,
                                      std::tuple<std::unwrap_ref_decay_t<Args>&&...>,
                                      std::tuple<std::unwrap_ref_decay_t<Args>&...>>;
};
template <class F, class... P, class... Args>
    requires(sizeof...(P) == sizeof...(Args))
struct stored_call<F, std::tuple<P...>*, Args...> {
    using type = std::tuple<F, stored_argument<P, Args>...>;
    using passed = std::tuple<passed_argument<P, stored_argument<P, Args>>...>;
};
// A member function's object comes first, as it is.
template <class F, class... P, class Self, class... Args>
    requires(std::is_member_function_pointer_v<F> && sizeof...(P) == sizeof...(Args))
struct stored_call<F, std::tuple<P...>*, Self, Args...> {
    using type = std::tuple<F, std::unwrap_ref_decay_t<Self>, stored_argument<P, Args>...>;
    using passed = std::tuple<std::unwrap_ref_decay_t<Self>&, passed_argument<P, stored_argument<P, Args>>...>;
};
template <class F, class... Args>
using kept_call = stored_call<std::decay_t<F>, typename parameters<std::decay_t<F>>::type, Args...>;

/// True when the frame of a plain function keeps all that a call of it needs: its parameters are values, and none is
/// made from an argument that it may go on referring to (a std::string_view from a std::string).
template <class F, class... Args>
inline constexpr bool frame_keeps_all = false;
template <class R, class... P, class... Args>
    requires(sizeof...(P) == sizeof...(Args))
inline constexpr bool frame_keeps_all<R (*)(P...), Args...> =
    ((!std::is_reference_v<P> && (std::is_same_v<P, std::decay_t<Args>> || std::is_scalar_v<std::decay_t<Args>> ||
                                  std::is_reference_v<std::unwrap_ref_decay_t<Args>>)) &&
     ...);
template <class R, class... P, class... Args>
inline constexpr bool frame_keeps_all<R (*)(P...) noexcept, Args...> = frame_keeps_all<R (*)(P...), Args...>;

}  // namespace ringlet::detail
