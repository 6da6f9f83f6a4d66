// SPDX-License-Identifier: MIT
#include "fetch/board.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

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
    t.rate.add(now.time_since_epoch(), t.fresh_bytes());
    item.bytes_per_second = t.rate.per_second(now.time_since_epoch());
    if (t.total_bytes && *t.total_bytes > t.done_bytes)
        item.eta = t.rate.eta(now.time_since_epoch(), *t.total_bytes - t.done_bytes);
    return item;
}

}  // namespace

board::board(const std::vector<item>& items) : all_{&items}, began_{ringlet::clock::now()} {}

transfer* board::take() {
    if (begun_ == all_->size()) return nullptr;
    try {
        auto next = std::make_unique<transfer>((*all_)[begun_]);
        next->began = next->moved = ringlet::clock::now();
        active_.push_back(std::move(next));
    } catch (const std::bad_alloc&) {
        if (active_.empty()) throw;
        return nullptr;
    }
    ++begun_;
    return active_.back().get();
}

void board::count(transfer& which) noexcept {
    const std::uint64_t fresh = which.fresh_bytes();
    if (fresh > which.counted_bytes) received_bytes_ += fresh - which.counted_bytes;
    which.counted_bytes = fresh;
}

void board::end(transfer& which, apps::exit_code outcome) noexcept {
    const auto found = std::ranges::find(active_, &which, &std::unique_ptr<transfer>::get);
    assert(found != active_.end());
    count(which);
    outcome_ = combine(outcome_, outcome);
    active_.erase(found);
}

void board::note(const item& which, bool skipped, const char* why) noexcept {
    try {
        not_saved_.push_back({&which, skipped, why});
    } catch (const std::bad_alloc&) {  // it was said when it ended; the table says how many are missing
    }
}

void board::saved(transfer& which) noexcept {
    saved_bytes_ += which.done_bytes;
    saved_resumed_bytes_ += which.done_bytes - which.fresh_bytes();
    ++done_;
    end(which, apps::exit_code::ok);
}

void board::skipped(transfer& which, const std::string& why) noexcept {
    const item& what = *which.what;
    end(which, apps::exit_code::ok);
    ++skipped_;
    note(what, true, why.c_str());
}

void board::failed(transfer& which, const failure& why) noexcept {
    const item& what = *which.what;
    end(which, why.code());
    ++failed_;
    note(what, false, why.what());
}

std::uint64_t board::bytes() const noexcept {
    std::uint64_t sum = saved_bytes_;
    for (const auto& t : active_) sum += t->done_bytes;
    return sum;
}

std::uint64_t board::resumed_bytes() const noexcept {
    std::uint64_t sum = saved_resumed_bytes_;
    for (const auto& t : active_) sum += t->done_bytes - t->fresh_bytes();
    return sum;
}

std::optional<std::uint64_t> board::total_bytes() const noexcept {
    if (begun_ < all_->size()) return std::nullopt;
    std::uint64_t sum = saved_bytes_;
    for (const auto& t : active_) {
        if (!t->total_bytes || *t->total_bytes > UINT64_MAX - sum) return std::nullopt;
        sum += *t->total_bytes;
    }
    return sum;
}

apps::progress_state board::progress() {
    const ringlet::deadline now = ringlet::clock::now();
    apps::progress_state state;
    for (const auto& t : active_) {
        state.active.push_back(item_of(*t, now));
        count(*t);
    }
    state.files_done = done_;
    state.files_failed = failed_;
    state.files_skipped = skipped_;
    state.files_total = all_->size();
    state.done_bytes = bytes();
    state.total_bytes = total_bytes();
    rate_.add(now.time_since_epoch(), received_bytes_);
    state.bytes_per_second = rate_.per_second(now.time_since_epoch());
    if (state.total_bytes && *state.total_bytes > state.done_bytes)
        state.eta = rate_.eta(now.time_since_epoch(), *state.total_bytes - state.done_bytes);
    return state;
}

}  // namespace fetch
