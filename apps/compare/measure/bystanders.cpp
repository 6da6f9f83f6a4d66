// SPDX-License-Identifier: MIT
#include "compare/measure/bystanders.hpp"

#include <ringlet/core/bytes.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <system_error>

namespace comparison {
namespace {

using namespace std::chrono_literals;

constexpr nanoseconds arrive_within = 3s;
constexpr unsigned arrive_at_once = 50;
// 320 KiB a second.
constexpr std::size_t slow_bytes = 16 * 1024;
constexpr nanoseconds slow_pause = 50ms;

}  // namespace

ringlet::task<> bystanders::arrive(ringlet::task_group& group) {
    const auto patience_ends = ringlet::clock::now() + arrive_within;
    for (unsigned i = 0; i < count_; ++i) {
        group.spawn(&bystanders::stay, std::ref(*this));
        if ((i + 1) % arrive_at_once == 0) co_await ringlet::sleep(2ms);
    }
    while (served_ < count_ && ringlet::clock::now() < patience_ends) co_await ringlet::sleep(5ms);
}

ringlet::task<> bystanders::stay() {
    const bool is_slow = how_ == presence::slow_readers;
    std::array<std::byte, slow_bytes> block;
    try {
        ringlet::net::tcp_stream stream = co_await ringlet::net::tcp_stream::connect(at_);
        const std::string request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", is_slow ? "/1m" : "/1k", at_);
        bool is_served = false;
        do {
            if (is_slow || !is_served) co_await stream.send_all(ringlet::as_bytes(request));
            // Of a slow reader, as much as one answer has; of the others all of the only one, and then for ever.
            for (std::size_t left = 1 << 20; left > 0;) {
                const std::size_t got = co_await stream.recv(std::span{block}.first(std::min(block.size(), left)));
                if (got == 0) co_return;
                if (!is_served) ++served_;
                is_served = true;
                left -= got;
                if (is_slow) co_await ringlet::sleep(slow_pause);
            }
        } while (is_slow);
    } catch (const std::system_error&) {
    }  // not served, or no longer: that is a result
}

}  // namespace comparison
