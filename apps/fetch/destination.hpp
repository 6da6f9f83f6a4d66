// SPDX-License-Identifier: MIT
#pragma once

#include "common/disk_pace.hpp"
#include "fetch/failure.hpp"
#include "fetch/options.hpp"
#include "fetch/present_file.hpp"
#include <ringlet/io/fd.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace fetch {

/// The directory that files are written to, and the names in it that this run has taken.
class destination {
public:
    /// Opens the directory; makes it, and those above it, where they are missing. Throws failure.
    /// `write_patience`: see options.
    explicit destination(const std::string& directory,
                         std::chrono::nanoseconds write_patience = options().write_patience);

    /// The first of "base", "base.1", "base.2" that no item of this run has and no file. Asked again for the same base,
    /// it gives the next one. Throws failure when there are too many.
    [[nodiscard]] std::string claim(const std::string& base);
    /// The same, whether there is a file or not. Throws failure where there is something else.
    [[nodiscard]] std::string claim_to_replace(const std::string& base);
    /// The files that `claim` has passed over for this base because they were there before; null for none.
    [[nodiscard]] present_files* present(const std::string& base);
    /// As if it had passed over this one.
    void note_present(const std::string& base) { bases_[base].present.add(base); }
    /// Somebody has claimed `name`, and found a part of this URL there, which is not the one that is wanted.
    void note_part(std::string url, const std::string& name) { parts_[std::move(url)].push_back(name); }
    /// One that was noted for this URL; nobody else gets it again. It is claimed.
    [[nodiscard]] std::optional<std::string> noted_part(const std::string& url);
    /// Throws failure where something stands under this name that is no regular file, and so is not to be replaced.
    void refuse_special(const std::string& name) const;
    /// Of the disk: all files of a run share it.
    [[nodiscard]] apps::disk_pace& pace() noexcept { return pace_; }
    /// Whether to wait a moment more for a lock. All waits of a run together are bounded.
    [[nodiscard]] bool may_wait() noexcept { return waits_left_ > 0 && waits_left_-- > 0; }
    /// Whether files can be made there without a name (O_TMPFILE), as far as is known.
    [[nodiscard]] bool takes_nameless() const noexcept { return takes_nameless_; }
    void takes_no_nameless() noexcept { takes_nameless_ = false; }
    /// See apps::tells_at_close.
    [[nodiscard]] bool tells_at_close() const noexcept { return tells_at_close_; }
    /// Whether there is anything of this name.
    [[nodiscard]] bool exists(const std::string& name) const noexcept;

    [[nodiscard]] ringlet::io::fd_ref directory() const noexcept { return fd_; }
    /// The path to show to people.
    [[nodiscard]] std::string path_of(const std::string& name) const;
    /// What a new file may be read and written by, as for any program of this user.
    [[nodiscard]] mode_t file_mode() const noexcept { return file_mode_; }

private:
    bool take(const std::string& name);
    [[nodiscard]] failure too_many(const std::string& base) const;

    struct known_base {
        unsigned next = 0;
        present_files present;
    };

    std::string path_;
    ringlet::io::owned_fd fd_;
    mode_t file_mode_;
    // Hashes: there may be many, and one that is taken for another only gets a number.
    std::unordered_set<std::size_t> claimed_;
    std::unordered_map<std::string, known_base> bases_;  // of those that more than one wanted, or that had files
    std::unordered_map<std::string, std::vector<std::string>> parts_;
    unsigned waits_left_ = 100;
    bool takes_nameless_;
    bool tells_at_close_;
    apps::disk_pace pace_;
};

}  // namespace fetch
