// SPDX-License-Identifier: MIT
#include "fetch/board.hpp"

#include <chrono>

namespace fetch {
namespace {

constexpr std::chrono::seconds stalled_after{5};

apps::progress_item item_of(transfer& t, ringlet::deadline now) {
    apps::progress_item item;
    item.name = t.name.substr(t.name.rfind('/') + 1);  // all stand in one directory; the little room is for the file
    item.note = t.note;
    item.done_bytes = t.done_bytes;
    item.total_bytes = t.total_bytes;
    item.stalled = now - t.moved > stalled_after;
    t.rate->add(now.time_since_epoch(), t.done_bytes);
    item.bytes_per_second = t.rate->per_second(now.time_since_epoch());
    if (t.total_bytes && *t.total_bytes > t.done_bytes)
        item.eta = t.rate->eta(now.time_since_epoch(), *t.total_bytes - t.done_bytes);
    return item;
}

}  // namespace

board::board(const std::vector<ringlet::http::url>& urls)
    : all_(urls.begin(), urls.end()), began_{ringlet::clock::now()} {}

transfer* board::take() {
    if (begun_ == all_.size()) return nullptr;
    transfer& next = all_[begun_++];
    next.began = next.moved = ringlet::clock::now();
    next.rate.emplace();
    active_.push_back(&next);
    return &next;
}

void board::end(transfer& which, apps::exit_code outcome) {
    which.outcome = outcome;
    which.rate.reset();
    std::erase(active_, &which);
    ++(outcome == apps::exit_code::ok ? done_ : failed_);
    if (outcome == apps::exit_code::ok) ended_bytes_ += which.done_bytes;
    outcome_ = combine(outcome_, outcome);
}

std::uint64_t board::bytes() const noexcept {
    std::uint64_t sum = ended_bytes_;
    for (const transfer* t : active_) sum += t->done_bytes;
    return sum;
}

std::optional<std::uint64_t> board::total_bytes() const noexcept {
    if (begun_ < all_.size()) return std::nullopt;
    std::uint64_t sum = ended_bytes_;
    for (const transfer* t : active_) {
        if (!t->total_bytes || *t->total_bytes > UINT64_MAX - sum) return std::nullopt;
        sum += *t->total_bytes;
    }
    return sum;
}

apps::progress_state board::progress() {
    const ringlet::deadline now = ringlet::clock::now();
    apps::progress_state state;
    for (transfer* t : active_) state.active.push_back(item_of(*t, now));
    state.files_done = done_;
    state.files_failed = failed_;
    state.files_total = all_.size();
    state.done_bytes = bytes();
    state.total_bytes = total_bytes();
    rate_.add(now.time_since_epoch(), state.done_bytes);
    state.bytes_per_second = rate_.per_second(now.time_since_epoch());
    if (state.total_bytes && *state.total_bytes > state.done_bytes)
        state.eta = rate_.eta(now.time_since_epoch(), *state.total_bytes - state.done_bytes);
    return state;
}

}  // namespace fetch
