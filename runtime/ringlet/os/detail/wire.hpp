// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ringlet::os::detail {

template <class T>
inline constexpr bool refers_elsewhere = std::is_pointer_v<T>;
template <class C, class Traits>
inline constexpr bool refers_elsewhere<std::basic_string_view<C, Traits>> = true;
template <class T, std::size_t N>
inline constexpr bool refers_elsewhere<std::span<T, N>> = true;

/// Values as bytes for another process of the same program: trivially copyable types as they lie in memory, strings and
/// vectors with their lengths.
template <class T>
struct wire {
    static_assert(std::is_trivially_copyable_v<T>,
                  "only trivially copyable types, std::string and std::vector of such go to another process");
    static_assert(!refers_elsewhere<T>,
                  "a pointer, string_view or span means nothing in another process: pass a string");
    static void write(std::string& to, const T& value) {
        to.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    static T read(std::string_view& from) {
        std::array<std::byte, sizeof(T)> bytes;
        if (from.size() < sizeof(T)) throw std::runtime_error{"a message between processes is too short"};
        std::memcpy(bytes.data(), from.data(), sizeof(T));
        from.remove_prefix(sizeof(T));
        return std::bit_cast<T>(bytes);
    }
};

template <>
struct wire<std::string> {
    static void write(std::string& to, const std::string& value) {
        wire<std::uint64_t>::write(to, value.size());
        to += value;
    }
    static std::string read(std::string_view& from) {
        const std::uint64_t size = wire<std::uint64_t>::read(from);
        if (from.size() < size) throw std::runtime_error{"a message between processes is too short"};
        std::string value{from.substr(0, size)};
        from.remove_prefix(size);
        return value;
    }
};

template <class T>
struct wire<std::vector<T>> {
    static void write(std::string& to, const std::vector<T>& value) {
        wire<std::uint64_t>::write(to, value.size());
        for (const T& each : value) wire<T>::write(to, each);
    }
    static std::vector<T> read(std::string_view& from) {
        std::vector<T> value;
        for (auto left = wire<std::uint64_t>::read(from); left > 0; --left) value.push_back(wire<T>::read(from));
        return value;
    }
};

template <class... T>
std::string to_wire(const std::tuple<T...>& values) {
    std::string bytes;
    std::apply([&](const T&... each) { (wire<T>::write(bytes, each), ...); }, values);
    return bytes;
}
template <class... T>
std::tuple<T...> from_wire(std::string_view bytes, std::type_identity<std::tuple<T...>>) {
    return std::tuple<T...>{wire<T>::read(bytes)...};  // in this order, because of the braces
}

}  // namespace ringlet::os::detail
