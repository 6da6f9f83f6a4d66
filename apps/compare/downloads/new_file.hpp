// SPDX-License-Identifier: MIT
#pragma once

#include "common/disk_pace.hpp"
#include "compare/downloads/session.hpp"
#include <ringlet/fs/file.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace comparison {

/// A file that gets its name when it is whole; until then it is NAME.part, private, locked and never a link, and where it comes
/// to nothing it goes. A part that is somebody else's is left alone: then the file gets another name.
///
/// Its calls wait for the disk, which as a rule they need not: they copy into the system's cache. Thread: one at a time.
class new_file {
public:
    new_file(const wanted_file& what, download_session& all) : session_{all}, base_{what.base}, name_{what.name} {}
    new_file(const new_file&) = delete;
    new_file& operator=(const new_file&) = delete;
    ~new_file();

    /// These throw fetch::failure.
    void open();
    void write(std::span<const std::byte> bytes);
    /// Result: the path.
    std::string finish();

    std::uint64_t bytes() const noexcept { return bytes_; }

private:
    std::string part_name() const;

    download_session& session_;
    std::string base_;
    std::string name_;
    std::optional<ringlet::fs::file> file_;
    apps::disk_pace pace_{std::chrono::seconds{1}};  // which nobody asks
    std::uint64_t bytes_ = 0;
    bool named_ = false;
};

}  // namespace comparison
