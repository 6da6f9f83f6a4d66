// SPDX-License-Identifier: MIT
#pragma once

#include "common/body_pipe.hpp"
#include "common/disk_pace.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/fd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <sys/types.h>

namespace xfer {

/// A file that gets its name, OUT, when it is complete; until then it is OUT.part in the same directory. That one is locked
/// (flock), so two runs never write to the same one, private (0600) and never a link. What has come of it stays when it is
/// not completed; a part in which nothing is does not.
///
/// Errors: of all: failure. Names are looked up and made at once.
class out_file {
public:
    /// Looks whether OUT may be made; makes nothing yet. `patience`: see get_options.
    out_file(const std::string& path, bool replaces, std::chrono::nanoseconds patience);
    out_file(const out_file&) = delete;
    out_file& operator=(const out_file&) = delete;
    ~out_file();

    /// Opens what an earlier run has left. Result: whether there is anything.
    bool take_up();
    /// Makes OUT.part, empty, or takes an earlier run's over. Nothing where it is open already.
    void make();
    /// Makes room for a file of so many bytes, or says that there is none.
    ringlet::task<> reserve(std::uint64_t bytes);
    /// Empties it. The room goes, too.
    ringlet::task<> start_over();

    ringlet::task<> write(std::span<const std::byte> bytes);
    /// As `write`, with so many bytes that are in a pipe.
    ringlet::task<> write_from(const apps::body_pipe& pipe, std::size_t bytes);

    /// Gives it its name. Once it has it nothing can fail any more.
    ringlet::task<> finish();
    /// It is not worth to be kept.
    void drop() noexcept { worthless_ = true; }

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool is_open() const noexcept { return file_.has_value(); }
    /// Whether it stays, for another run.
    [[nodiscard]] bool kept() const noexcept { return file_ && !named_ && !worthless_ && bytes_ > 0; }
    [[nodiscard]] const ringlet::fs::file& file() const noexcept { return *file_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    [[nodiscard]] std::string part_path() const { return path_ + ".part"; }
    void look_at_name() const;
    void use(ringlet::io::owned_fd fd);

    std::string path_;
    std::string name_;
    std::string part_name_;
    bool replaces_;
    apps::disk_pace pace_;
    ringlet::io::owned_fd directory_;
    mode_t mode_;
    std::optional<ringlet::fs::file> file_;
    std::uint64_t bytes_ = 0;
    bool named_ = false;
    bool worthless_ = false;
};

}  // namespace xfer
