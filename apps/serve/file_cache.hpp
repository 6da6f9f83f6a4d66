// SPDX-License-Identifier: MIT
#pragma once

#include "common/confined_open.hpp"
#include "serve/resource.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace serve {

/// What is kept of files that were asked for.
struct cache_limits {
    std::size_t entries = 4096;
    std::size_t body_bytes = std::size_t{64} << 20;  ///< of all bodies together
    std::size_t open_files = 256;                    ///< of those whose bodies are too large
    std::uint64_t body_bytes_each = 64 * 1024;
    /// Before the file system is asked again: a change shows within twice this time. A busy server asks ten times a second
    /// for each file, a calm one for each request.
    std::chrono::nanoseconds trusted = std::chrono::milliseconds{100};
};

/// The files below a directory that may be served, each as it was within the last second. Nothing outside of it is ever
/// opened: every open goes through openat2(2) beneath the root, and links that leave it do not lead anywhere.
///
/// Thread: the loop's thread only.
class file_cache {
public:
    /// What stands at a path; null, and why.
    struct found {
        std::shared_ptr<const resource> what;
        apps::open_outcome outcome = apps::open_outcome::missing;
    };

    /// `extra`: fields of every answer.
    file_cache(ringlet::io::owned_fd root, ringlet::http::fields extra, const cache_limits& limits);

    /// Looks up `path` (from http::clean_path, not hidden). What it gives stays whole for as long as somebody holds it,
    /// whatever happens to the file.
    ringlet::task<found> find(std::string path);
    /// The same without waiting; null when the file system must be asked.
    std::shared_ptr<const resource> at_hand(std::string_view path) noexcept;

    /// Opens what stands at `path` anew.

    ringlet::io::fd_ref root() const noexcept { return root_; }
    std::size_t entries() const noexcept { return known_.size(); }
    std::size_t body_bytes() const noexcept { return body_bytes_; }
    std::size_t open_files() const noexcept { return open_files_; }

private:
    struct entry {
        std::string path;
        std::shared_ptr<const resource> what;
        ringlet::deadline trusted_until;
        /// Nothing of it had changed for a while when it was read. Time stamps are those of the kernel's tick: of two
        /// changes within one the second does not show.
        bool settled;
    };
    using entries_by_use = std::list<entry>;  // the one used last first
    struct opened_form {
        std::string_view coding;
        apps::opened file;
    };

    ringlet::task<std::vector<opened_form>> open_forms(std::string path);
    ringlet::task<representation> read(opened_form form) const;
    entries_by_use::iterator known(std::string_view path) noexcept;
    void keep(std::string path, std::shared_ptr<const resource> what);
    void forget(entries_by_use::iterator which) noexcept;
    void close_files() noexcept;

    ringlet::io::owned_fd root_;
    ringlet::http::fields extra_;
    cache_limits limits_;
    entries_by_use by_use_;
    std::unordered_map<std::string_view, entries_by_use::iterator> known_;  // by the path in the entry
    std::size_t body_bytes_ = 0;
    std::size_t open_files_ = 0;
};

}  // namespace serve
