// SPDX-License-Identifier: MIT
#pragma once

#include "compare/site.hpp"
#include <ringlet/net/tcp_listener.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace comparison {

/// A way to serve many at once.
struct model {
    std::string_view name;
    std::string_view summary;  ///< one line
    std::string_view source;   ///< the file that differs from the others'
    std::string_view shared;   ///< the file that it shares with those of its kind; empty: none
    void (*serve)(ringlet::net::tcp_listener& listener, const site& pages);
    bool is_extra = false;  ///< not one of the course's six
};

/// In the order of the course, then the extras.
std::span<const model> models() noexcept;
/// Null: there is none of that name.
const model* find_model(std::string_view name) noexcept;
/// Lines of both but empty ones and those that are comments.
std::size_t lines_of_code(const model& which) noexcept;

}  // namespace comparison
