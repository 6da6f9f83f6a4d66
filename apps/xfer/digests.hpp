// SPDX-License-Identifier: MIT
#pragma once

#include "common/digest.hpp"
#include "common/file_state.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/sync/event.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xfer {

/// The SHA-256 of a file that is being sent, in the making on another thread or known already. Shared by all who send this
/// version of the file at the same time; when the last of them goes, the work ends.
class file_hash {
public:
    /// One that is known.
    file_hash(const apps::file_state& of, std::string value);
    /// Starts the work. Throws std::bad_alloc.
    file_hash(const apps::file_state& of, std::shared_ptr<const ringlet::io::owned_fd> file);
    file_hash(const file_hash&) = delete;
    file_hash& operator=(const file_hash&) = delete;
    ~file_hash();

    [[nodiscard]] const apps::file_state& of() const noexcept { return work_->of; }
    /// Whether so many bytes have been hashed and, where these are all, the value is there; or no more will be.
    [[nodiscard]] bool has(std::uint64_t bytes) const noexcept {
        return work_->ended || (work_->hashed >= bytes && bytes < work_->of.bytes);
    }
    /// Waits until `has(bytes)`, for `limit` at most. Errors: `cancelled`.
    ringlet::task<> wait(std::uint64_t bytes, std::chrono::nanoseconds limit);
    /// The value, 32 bytes; empty where the file could not be read to its size, or not yet.
    [[nodiscard]] const std::string& value() const noexcept { return work_->value; }

private:
    struct work {
        apps::file_state of;
        std::shared_ptr<const ringlet::io::owned_fd> file;
        apps::digest digest{apps::digest_algorithm::sha256};
        std::uint64_t hashed = 0;
        bool ended = false;
        std::string value;
        ringlet::event moved;
    };
    static ringlet::task<> do_work(std::shared_ptr<work> what);
    static ringlet::task<> do_all(std::shared_ptr<work> what);

    std::shared_ptr<work> work_;  // the job's, too: it may see its cancellation after we have gone
    std::optional<ringlet::job<>> job_;
};

/// The digests of files that have not changed since they were made: a file that is asked for again is not hashed again.
class digests {
public:
    /// The one for this version of a file. Throws std::bad_alloc.
    [[nodiscard]] std::shared_ptr<file_hash> find(const apps::file_state& of,
                                                  const std::shared_ptr<const ringlet::io::owned_fd>& file);
    /// Keeps a value for the next time. The file was in the same state before it was read and after; where it changed so
    /// lately that another change need not show, the value is not kept.
    void keep(const file_hash& made);
    /// A receiver says that it is not right.
    void forget(const apps::file_state& of) noexcept;

private:
    struct known {
        apps::file_state of;
        std::string value;
    };
    std::list<known> known_;  // by use, at most so many that looking through them takes no time
    std::vector<std::weak_ptr<file_hash>> at_work_;
};

}  // namespace xfer
