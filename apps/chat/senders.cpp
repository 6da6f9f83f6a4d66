// SPDX-License-Identifier: MIT
#include "chat/senders.hpp"

#include <ringlet/time/sleep.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace chat {
namespace {

namespace net = ringlet::net;
using namespace std::chrono_literals;

constexpr std::size_t known_max = 1024;
constexpr std::size_t described_max = 20;
constexpr int patience_seconds = 10;  // a flood is told of when it has ended, or so often

std::string line_of(const net::endpoint& who, std::uint64_t messages) {
    return fmt::format("{} ({} {})", who, messages, messages == 1 ? "message" : "messages");
}

}  // namespace

senders::~senders() {
    if (telling_) telling_->cancel();
}

senders::sender& senders::find(const net::endpoint& from, ringlet::deadline now) {
    const auto present = known_.find(from);
    if (present != known_.end()) return present->second;
    if (known_.size() >= known_max) {
        const auto earlier = [](const auto& a, const auto& b) { return a.second.last < b.second.last; };
        known_.erase(std::ranges::min_element(known_, earlier));
    }
    sender& added = known_[from];
    added.allowance = limit_;
    added.last = now;
    return added;
}

bool senders::heard(const net::endpoint& from) {
    const ringlet::deadline now = ringlet::clock::now();
    sender& who = find(from, now);
    const double seconds = std::chrono::duration<double>(now - who.last).count();
    who.allowance = std::min<double>(limit_, who.allowance + seconds * limit_);
    who.last = now;
    ++who.messages;
    if (limit_ == 0) return true;
    if (who.allowance >= 1) {
        who.allowance -= 1;
        return true;
    }
    ++unshown_;
    if (!telling_ || telling_->ready()) telling_.emplace(ringlet::spawn(&senders::tell_later, this));
    return false;
}

ringlet::task<> senders::tell_later() {
    for (int second = 0; second < patience_seconds; ++second) {
        const std::size_t before = unshown_;
        co_await ringlet::sleep(1s);
        if (unshown_ == before) break;
    }
    finish();
}

void senders::finish() {
    if (const auto messages = std::exchange(unshown_, 0); messages > 0)
        err_.say("{} {} not shown: more than {} a second from one sender (--limit)", messages,
                 messages == 1 ? "message was" : "messages were", limit_);
}

std::string senders::describe(const net::endpoint& one) const {
    const auto present = known_.find(one);
    return line_of(one, present == known_.end() ? 0 : present->second.messages);
}

std::vector<std::string> senders::describe_others(const net::endpoint& one) const {
    std::vector<std::pair<ringlet::deadline, std::string>> others;
    for (const auto& [who, what] : known_)
        if (who != one) others.emplace_back(what.last, line_of(who, what.messages));
    std::ranges::sort(others, std::greater{});
    std::vector<std::string> lines;
    for (const auto& [when, line] : others) {
        if (lines.size() == described_max) {
            lines.push_back(fmt::format("and {} more", others.size() - described_max));
            break;
        }
        lines.push_back(line);
    }
    return lines;
}

}  // namespace chat
