// SPDX-License-Identifier: MIT
#pragma once

#include "compare/measure/compare.hpp"
#include "compare/site.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace comparison {

/// Servers of others that are compared with ours where they are installed: nginx; the course's server on gevent; the same in
/// Go.
inline constexpr std::array<std::string_view, 3> peer_names{"nginx", "gevent", "go"};

/// Their configurations and programs, in a directory of their own, which is gone with this.
class peers {
public:
    /// Errors: std::system_error when there is no place for them.
    explicit peers(const site& pages);
    peers(const peers&) = delete;
    peers& operator=(const peers&) = delete;
    ~peers();

    /// Errors: std::runtime_error, whose text says what is missing here. Lifetime: the server's files are gone with this.
    ringlet::task<subject> find(std::string_view name) const;

private:
    ringlet::task<subject> nginx() const;
    ringlet::task<subject> gevent() const;
    ringlet::task<subject> go() const;
    std::string write(std::string_view name, std::string_view text) const;

    std::string home_;
};

}  // namespace comparison
