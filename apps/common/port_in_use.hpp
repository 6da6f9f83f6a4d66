// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/net/endpoint.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace apps {

/// Calls `bind(address)`; a port that is in use is said in words that help. `what`: "TCP" or "UDP".
template <class Bind>
auto bind_or_explain(std::string_view what, const ringlet::net::endpoint& address, Bind bind) {
    try {
        return bind(address);
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::address_in_use) throw;
        const std::string where = address.is_any() ? std::string{} : " at " + address.address_text();
        throw std::runtime_error{
            fmt::format("{} port {}{} is in use already: choose another with --port, or a free one with --port 0", what,
                        address.port(), where)};
    }
}

}  // namespace apps
