// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/destination.hpp"
#include "fetch/output.hpp"
#include <ringlet/fs/file.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

/// What to do when there is a file of the name that is wanted.
enum class existing_file : std::uint8_t {
    kept,      ///< the new one gets a number
    replaced,  ///< once the new one is complete; only a regular file
};

/// A file that gets its name when it is complete; until then it is NAME.part in the same directory. That one is locked
/// (flock), so two runs never write to the same one, private (0600), never a link, and removed by the destructor.
///
/// A NAME.part that lies there already is taken over when it is what a run that was killed leaves behind: a regular file
/// of this user's with one name, private, and locked by nobody. Else another number is tried.
class part_file final : public output {
public:
    /// `name` has been claimed for `base`; should its part be in the way, further ones are. Throws failure.
    static ringlet::task<std::unique_ptr<part_file>> open(destination& where, std::string base, std::string name,
                                                          existing_file policy);
    ~part_file() override;

    ringlet::task<> write(std::span<const std::byte> bytes) override;
    ringlet::task<std::string> finish() override;

private:
    part_file(destination& where, std::string base, existing_file policy) noexcept;
    void call_it(std::string name);
    ringlet::task<> put(std::span<const std::byte> bytes);
    ringlet::task<> flush();
    ringlet::task<> settle();
    ringlet::task<std::string> take_name();

    destination* where_;
    std::string base_;
    std::string name_;
    std::string part_name_;
    existing_file policy_;
    std::optional<ringlet::fs::file> file_;
    std::uint64_t offset_ = 0;
    std::vector<std::byte> gathered_;
    bool named_ = false;
};

}  // namespace fetch
