// SPDX-License-Identifier: MIT
#include "xfer/digests.hpp"

#include "common/file_digest.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/timeout.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <utility>

namespace xfer {
namespace {

// A thread hashes so much of one file before it turns to another.
constexpr std::uint64_t turn_bytes = std::uint64_t{8} << 20;
constexpr std::size_t known_max = 1000;
// Two changes within this time may leave one and the same time in the file system.
constexpr std::chrono::seconds settling{2};

bool is_settled(const apps::file_state& of) noexcept {
    const std::chrono::sys_seconds now{std::chrono::seconds{ringlet::io::sys::time()}};
    return std::max(of.modified, of.changed) + settling < now;
}

}  // namespace

file_hash::file_hash(const apps::file_state& of, std::string value) : work_{std::make_shared<work>()} {
    work_->of = of;
    work_->value = std::move(value);
    work_->ended = true;
}

file_hash::file_hash(const apps::file_state& of, std::shared_ptr<const ringlet::io::owned_fd> file)
    : work_{std::make_shared<work>()} {
    work_->of = of;
    work_->file = std::move(file);
    job_.emplace(ringlet::spawn(do_work, work_));
}

file_hash::~file_hash() {
    if (job_) job_->cancel();
}

ringlet::task<> file_hash::do_all(std::shared_ptr<work> what) {
    while (what->hashed < what->of.bytes) {
        const std::uint64_t end = std::min(what->hashed + turn_bytes, what->of.bytes);
        const std::uint64_t got = co_await ringlet::io::offload(&apps::add_range, std::ref(what->digest),
                                                                ringlet::io::fd_ref{*what->file}, what->hashed, end);
        if (got == 0) co_return;  // it became shorter
        what->hashed += got;
        what->moved.set();
        what->moved.clear();
    }
    what->value = what->digest.value();
}

// What goes wrong shows in that there is no value.
ringlet::task<> file_hash::do_work(std::shared_ptr<work> what) {
    try {
        co_await do_all(what);
    } catch (const std::exception&) {
    }
    what->ended = true;
    what->moved.set();
}

ringlet::task<> file_hash::wait(std::uint64_t bytes, std::chrono::nanoseconds limit) {
    const ringlet::deadline end = ringlet::deadline_after(limit);
    while (!has(bytes)) {
        const ringlet::result<void> moved =
            co_await ringlet::as_result(ringlet::with_deadline(end, work_->moved.wait()));
        if (!moved) co_return;
    }
}

std::shared_ptr<file_hash> digests::find(const apps::file_state& of,
                                         const std::shared_ptr<const ringlet::io::owned_fd>& file) {
    const auto found = std::ranges::find(known_, of, &known::of);
    if (found != known_.end()) {
        known_.splice(known_.begin(), known_, found);
        return std::make_shared<file_hash>(of, found->value);
    }
    std::erase_if(at_work_, [](const std::weak_ptr<file_hash>& each) { return each.expired(); });
    for (const std::weak_ptr<file_hash>& each : at_work_)
        if (std::shared_ptr<file_hash> same = each.lock(); same && same->of() == of) return same;
    at_work_.reserve(at_work_.size() + 1);
    auto made = std::make_shared<file_hash>(of, file);
    at_work_.push_back(made);
    return made;
}

void digests::keep(const file_hash& made) {
    if (made.value().empty() || !is_settled(made.of())) return;
    if (std::ranges::find(known_, made.of(), &known::of) != known_.end()) return;
    known_.push_front({made.of(), made.value()});
    if (known_.size() > known_max) known_.pop_back();
}

void digests::forget(const apps::file_state& of) noexcept {
    known_.remove_if([&](const known& each) { return each.of == of; });
}

}  // namespace xfer
