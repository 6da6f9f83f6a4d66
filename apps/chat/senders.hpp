// SPDX-License-Identifier: MIT
#pragma once

#include "common/printer.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace chat {

/// Who has written, and how much: what one of them sends beyond the limit is not shown, only counted. The last 1,024 are
/// remembered.
class senders {
public:
    /// `limit`: messages of one sender that are shown in a second; 0: all.
    senders(std::uint32_t limit, apps::printer& err) : limit_{limit}, err_{err} {}
    ~senders();
    senders(const senders&) = delete;
    senders& operator=(const senders&) = delete;

    /// Counts a message. Result: whether it is to be shown.
    bool heard(const ringlet::net::endpoint& from);
    /// Says how many were not shown, when that is still to be said.
    void finish();
    /// A line about `one`, and one about each of the others, those who wrote last first.
    std::vector<std::string> describe_others(const ringlet::net::endpoint& one) const;
    std::string describe(const ringlet::net::endpoint& one) const;

private:
    struct sender {
        std::uint64_t messages = 0;
        double allowance = 0;  // messages that may be shown at once
        ringlet::deadline last;
    };

    sender& find(const ringlet::net::endpoint& from, ringlet::deadline now);
    ringlet::task<> tell_later();

    std::uint32_t limit_;
    apps::printer& err_;
    std::unordered_map<ringlet::net::endpoint, sender> known_;
    std::size_t unshown_ = 0;
    std::optional<ringlet::job<>> telling_;
};

}  // namespace chat
