// SPDX-License-Identifier: MIT
#pragma once

#include "common/digest.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/sync/event.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace xfer {

/// Hashes a file on another thread while it is written: what has been written is read back, in small pieces, when it is in
/// memory anyway. So what is checked is what is in the file.
class follower {
public:
    /// `from`: so many bytes are in `begun` already. Takes a descriptor of its own. Throws std::system_error.
    follower(ringlet::io::fd_ref file, apps::digest begun, std::uint64_t from);
    follower(const follower&) = delete;
    follower& operator=(const follower&) = delete;
    /// Ends the work, wherever it is.
    ~follower();

    /// So many bytes are in the file now.
    void written(std::uint64_t bytes) noexcept;
    /// Waits while it is far behind. Errors: `cancelled`; failure, where it cannot be read.
    ringlet::task<> keep_up();
    /// Waits until all that is written is hashed. Result: the SHA-256, 32 bytes. Errors: as keep_up.
    ringlet::task<std::string> finish();

private:
    struct work {
        work(ringlet::io::owned_fd what, apps::digest begun, std::uint64_t from)
            : file{std::move(what)}, digest{std::move(begun)}, hashed{from}, written{from} {}
        ringlet::io::owned_fd file;
        apps::digest digest;
        std::atomic<std::uint64_t> hashed;
        std::atomic<std::uint64_t> written;
        std::atomic<bool> stopped{false};
        bool all = false;
        std::exception_ptr failure;
        ringlet::event more;
        ringlet::event ended;
    };
    static void hash_what_is_there(work& what);
    static ringlet::task<> follow(std::shared_ptr<work> what);
    static ringlet::task<> follow_to_the_end(work& what);

    std::shared_ptr<work> work_;
    ringlet::job<> job_;
};

}  // namespace xfer
