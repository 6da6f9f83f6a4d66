// SPDX-License-Identifier: MIT
#pragma once

#include "common/digest.hpp"
#include "fetch/destination.hpp"
#include "fetch/options.hpp"
#include "fetch/output.hpp"
#include "fetch/pipe_pool.hpp"
#include <ringlet/fs/file.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

/// How a file is to come about.
struct file_wishes {
    std::string base;        ///< its name, which may get a number
    std::string url;         ///< where its content comes from, whatever redirects say
    bool replaces = false;   ///< a file of this name, once the new one is complete; only a regular one
    bool only_name = false;  ///< no number: what is in the way is a failure
    bool durable = false;
    bool trusts_length = false;                           ///< see part_state
    std::shared_ptr<const apps::wanted_digest> checksum;  ///< null: none
};

/// A file that gets its name when it is complete; until then it is NAME.part in the same directory. That one is locked
/// (flock), so two runs never write to the same one, private (0600) and never a link. It is made when the download begins, or,
/// where all of it would be gathered before it is written, with the first write; if that completes it, the file needs no
/// other name before its last.
///
/// Beside it stands NAME.part.state, as soon as something is written that another run could go on with: what `encode` gives.
/// While there is one segment, the length of NAME.part says how much is there; with several, their lines do, written
/// after the bytes. So a run that is killed loses nothing. A NAME.part without a state is what is left of a download that
/// nobody can go on with: it goes. One that is locked, not this user's, of another URL, or with a
/// damaged state, is left alone.
class part_file final : public output {
public:
    /// What an earlier run has left of this URL under this name. Result: nullptr when there is nothing of it; then
    /// `in_the_way` says why nothing can be written there, or is empty. Opens and reads two small files at once, without
    /// waiting for others. Throws failure for no file that is there.
    static std::unique_ptr<part_file> take_up(destination& where, const file_wishes& wishes, const std::string& name,
                                              std::string& in_the_way);

    /// A new one. `name` has been claimed for `base`; should its part be in the way when it is made, further ones are.
    static std::unique_ptr<part_file> make(destination& where, file_wishes wishes, std::string name);
    ~part_file() override;

    /// The file's name is to be made of this from now on, not of what the part is named after.
    void rename_to(std::string base, std::string name);
    /// Nobody wants it any more: nothing of it stays.
    void abandon() noexcept { drop_state(); }

    ringlet::task<> begin(part_state version) override;
    /// Divides what is missing anew, so that segments may come side by side; what is there stays. Throws failure.
    void divide(std::vector<segment> segments);
    ringlet::task<> write(std::size_t segment, std::span<const std::byte> bytes) override;
    /// Whether bytes may come in a pipe: not where each has to be looked at.
    [[nodiscard]] bool takes_pipes() const noexcept { return !wishes_.checksum; }
    /// As `write`, with so many bytes that are in a pipe. Throws failure; then some may be left in it.
    ringlet::task<> write_from(const body_pipe& pipe, std::size_t segment, std::size_t bytes);
    ringlet::task<> flush(std::size_t segment) override;
    void forget(std::size_t segment) noexcept override;
    ringlet::task<std::string> finish() override;

    /// It stays, for another run.
    [[nodiscard]] bool kept() const noexcept { return !named_ && state_there_ && state_.done_bytes() > 0; }

private:
    part_file(destination& where, file_wishes wishes);
    void call_it(std::string name);
    void open();
    bool is_gathered() const noexcept;
    ringlet::task<> put(std::size_t segment, std::span<const std::byte> bytes);
    void write_at_once(const ringlet::fs::file& into, const std::string& name, std::span<const std::byte> bytes,
                       std::uint64_t offset);
    void prepare_to_put(std::size_t bytes);
    void note_progress(std::size_t segment);
    void save_state();
    void drop_state() noexcept;
    void use_segments(std::vector<segment> segments);
    ringlet::task<> verify();
    ringlet::task<> settle();
    std::error_code give_first_name(int fd) const;
    ringlet::task<std::string> take_name();

    destination* where_;
    file_wishes wishes_;
    std::string name_;
    std::string part_base_;  // wishes_.base until `rename_to`
    std::string part_name_;
    std::optional<ringlet::fs::file> file_;
    std::optional<ringlet::fs::file> state_file_;
    bool state_there_ = false;
    bool nameless_ = false;  // until it is complete
    bool named_ = false;
    std::vector<std::vector<std::byte>> gathered_;  // for each segment
    std::optional<apps::digest> digest_;
    std::uint64_t hashed_ = 0;  // so many bytes from the beginning on are in it
};

}  // namespace fetch
