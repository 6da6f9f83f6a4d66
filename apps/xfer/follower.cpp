// SPDX-License-Identifier: MIT
#include "xfer/follower.hpp"

#include "common/file_digest.hpp"
#include "xfer/failure.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace xfer {
namespace {

// Another thread is not asked for less before the end.
constexpr std::uint64_t worth_a_call = std::uint64_t{1} << 20;
// Within a call it looks so often whether there is more, or to stop.
constexpr std::uint64_t look_bytes = std::uint64_t{1} << 20;
// So far it may be behind: what is read back is in memory still, and who stops does not wait long.
constexpr std::uint64_t behind_max = std::uint64_t{64} << 20;
// Who writes waits in naps then, and not for a word of that thread, which has better things to do: there is work for it all the
// time, and it hashes a small part of that in a nap.
constexpr std::chrono::milliseconds nap{4};

ringlet::io::owned_fd twin_of(ringlet::io::fd_ref file) {
    ringlet::io::owned_fd twin{ringlet::io::sys::fcntl(file.get(), F_DUPFD_CLOEXEC, 0)};
    if (!twin) throw std::system_error{errno, std::generic_category(), "cannot read what is written"};
    return twin;
}

}  // namespace

follower::follower(ringlet::io::fd_ref file, apps::digest begun, std::uint64_t from)
    : work_{std::make_shared<work>(twin_of(file), std::move(begun), from)}, job_{ringlet::spawn(follow, work_)} {}

follower::~follower() {
    work_->stopped = true;
    job_.cancel();
}

void follower::written(std::uint64_t bytes) noexcept {
    work_->written.store(bytes, std::memory_order_release);
    if (bytes - work_->hashed >= worth_a_call) work_->more.set();
}

// On the other thread: as long as it is behind, so that it need not be called again.
void follower::hash_what_is_there(work& what) {
    for (std::uint64_t at = what.hashed;;) {
        const std::uint64_t end = what.written.load(std::memory_order_acquire);
        if (at == end || what.stopped) return;
        const std::uint64_t got = apps::add_range(what.digest, what.file, at, std::min(end, at + look_bytes));
        if (got == 0) throw std::runtime_error{"the file has become shorter while it was written"};
        at += got;
        what.hashed.store(at, std::memory_order_release);
    }
}

ringlet::task<> follower::follow_to_the_end(work& what) {
    for (;;) {
        what.more.clear();
        const std::uint64_t behind = what.written - what.hashed;
        if (behind == 0 && what.all) co_return;
        if (behind < worth_a_call && !what.all) {
            co_await what.more.wait();
            continue;
        }
        co_await ringlet::io::offload(&hash_what_is_there, std::ref(what));
    }
}

ringlet::task<> follower::follow(std::shared_ptr<work> what) {
    try {
        co_await follow_to_the_end(*what);
    } catch (const std::system_error& error) {
        what->failure = std::make_exception_ptr(file_failure("cannot read back", "what was written", error.code()));
    } catch (const std::exception&) {
        what->failure = std::current_exception();
    }
    what->ended.set();
}

ringlet::task<> follower::keep_up() {
    while (work_->written - work_->hashed > behind_max && !work_->ended.is_set()) co_await ringlet::sleep(nap);
    if (work_->failure) std::rethrow_exception(work_->failure);
}

ringlet::task<std::string> follower::finish() {
    work_->all = true;
    work_->more.set();
    co_await work_->ended.wait();
    if (work_->failure) std::rethrow_exception(work_->failure);
    co_return work_->digest.value();
}

}  // namespace xfer
