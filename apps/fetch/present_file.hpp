// SPDX-License-Identifier: MIT
#pragma once

#include "common/digest.hpp"
#include "common/file_state.hpp"
#include "fetch/part_state.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/sync/mutex.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace fetch {

class destination;

/// Notes in an extended attribute which version a complete file is, where the file system has such.
void mark_version(int fd, const part_state& version);

/// Whether the file is marked with this version, and nobody has changed it since.
[[nodiscard]] bool is_version(const destination& where, const std::string& name, const part_state& version);

/// Whether the file has this digest. Reads all of it.
ringlet::task<bool> has_digest(const destination& where, std::string name, apps::wanted_digest wanted);

/// The files that a run has found under one name and its numbers. Each is looked at once, however many items ask.
class present_files {
public:
    void add(std::string name) { names_.push_back(std::move(name)); }
    [[nodiscard]] bool empty() const noexcept { return names_.empty(); }
    [[nodiscard]] const std::string& first() const noexcept { return names_.front(); }

    /// The first that is_version.
    [[nodiscard]] std::optional<std::string> of_version(const destination& where, const part_state& version);
    /// One that has this digest. Reads as many as it must.
    ringlet::task<std::optional<std::string>> with_digest(const destination& where, apps::wanted_digest wanted);

private:
    struct hashed_file {
        std::size_t index;
        apps::file_state state;  // before it was read
    };
    struct known_digests {
        std::size_t read = 0;  // so many of the names
        std::unordered_multimap<std::string, hashed_file> files;
    };

    void read_marks(const destination& where);
    ringlet::task<std::optional<std::string>> find_hashed(const destination& where, const known_digests& known,
                                                          const apps::wanted_digest& wanted);
    ringlet::task<> hash_next(const destination& where, known_digests& known, apps::digest_algorithm algorithm);

    std::vector<std::string> names_;
    std::size_t marks_read_ = 0;  // so many of the names
    std::unordered_multimap<std::uint64_t, std::size_t> marks_;
    std::set<std::uint64_t> sizes_;  // of those that are marked
    std::map<apps::digest_algorithm, known_digests> digests_;
    ringlet::mutex reading_;
};

}  // namespace fetch
