// SPDX-License-Identifier: MIT
#pragma once

#include "common/exit_codes.hpp"
#include "common/numbers.hpp"
#include "common/progress.hpp"
#include "fetch/failure.hpp"
#include "fetch/item.hpp"
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

/// One item on its way. What downloads it writes here, what shows it reads.
struct transfer {
    explicit transfer(const item& which) : what{&which} {}

    const item* what;
    std::string name;                          ///< for people: the path of the file
    std::string note;                          ///< what it waits for; empty while the body comes
    std::uint64_t done_bytes = 0;              ///< of the file, with what an earlier run had
    std::uint64_t resumed_bytes = 0;           ///< of those, what was there when this run began it: no part of a rate
    std::optional<std::uint64_t> total_bytes;  ///< of the file
    ringlet::deadline began;                   ///< when it was taken
    ringlet::deadline moved;                   ///< when the last bytes came
    apps::rate_window rate;                    ///< of the bytes of this run
    std::uint64_t counted_bytes = 0;           ///< the board's: of the bytes of this run, those it has counted

    /// Bytes of the file that this run has fetched.
    [[nodiscard]] std::uint64_t fresh_bytes() const noexcept {
        return done_bytes > resumed_bytes ? done_bytes - resumed_bytes : 0;
    }
};

/// An item that has ended without a file, as the table at the end shows it.
struct unsaved {
    const item* what;
    bool skipped;
    std::string why;
};

/// All items of a run: which are to be done, which are under way, how many ended. Only those under way have a transfer.
class board {
public:
    /// Borrows the items as long as it lives.
    explicit board(const std::vector<item>& items);

    /// The next item to be done, in their order; nullptr when all have begun. Where there is no memory for one more, it is
    /// nullptr, too, as long as others are under way, which will take the rest; else std::bad_alloc is thrown.
    [[nodiscard]] transfer* take();

    /// How each one ends; the transfer is gone then.
    void saved(transfer& which) noexcept;
    void skipped(transfer& which, const std::string& why) noexcept;
    void failed(transfer& which, const failure& why) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return all_->size(); }
    [[nodiscard]] std::size_t done() const noexcept { return done_; }
    [[nodiscard]] std::size_t failed() const noexcept { return failed_; }
    [[nodiscard]] std::size_t skipped() const noexcept { return skipped_; }
    /// Under way, or not begun.
    [[nodiscard]] std::size_t unfinished() const noexcept { return size() - done_ - failed_ - skipped_; }
    /// Of files that are saved or under way, with what earlier runs had of them.
    [[nodiscard]] std::uint64_t bytes() const noexcept;
    /// Of those, what earlier runs had.
    [[nodiscard]] std::uint64_t resumed_bytes() const noexcept;
    /// The exit code of what has ended.
    [[nodiscard]] apps::exit_code outcome() const noexcept { return outcome_; }
    [[nodiscard]] std::chrono::nanoseconds elapsed() const noexcept { return ringlet::clock::now() - began_; }

    [[nodiscard]] const std::vector<item>& items() const noexcept { return *all_; }
    [[nodiscard]] const std::vector<std::unique_ptr<transfer>>& active() const noexcept { return active_; }
    /// What ended without a file, in the order of its end; short of memory, some may be missing.
    [[nodiscard]] const std::vector<unsaved>& not_saved() const noexcept { return not_saved_; }
    /// How many have begun; those behind them in the items have not.
    [[nodiscard]] std::size_t begun() const noexcept { return begun_; }

    /// What a progress display shows now; takes a sample of every rate.
    [[nodiscard]] apps::progress_state progress();

private:
    [[nodiscard]] std::optional<std::uint64_t> total_bytes() const noexcept;
    void count(transfer& which) noexcept;
    void end(transfer& which, apps::exit_code outcome) noexcept;
    void note(const item& which, bool skipped, const char* why) noexcept;

    const std::vector<item>* all_;
    std::vector<std::unique_ptr<transfer>> active_;
    std::vector<unsaved> not_saved_;
    std::size_t begun_ = 0;
    std::size_t done_ = 0;
    std::size_t failed_ = 0;
    std::size_t skipped_ = 0;
    std::uint64_t saved_bytes_ = 0;
    std::uint64_t saved_resumed_bytes_ = 0;
    std::uint64_t received_bytes_ = 0;  // only grows: what a retry fetches again counts again, as it does on the wire
    apps::exit_code outcome_ = apps::exit_code::ok;
    ringlet::deadline began_;
    apps::rate_window rate_;
};

}  // namespace fetch
