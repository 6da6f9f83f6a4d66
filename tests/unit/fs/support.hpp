// SPDX-License-Identifier: MIT
// What the tests of fs share.
#pragma once

#include "core/support.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>

#include <filesystem>
#include <string>

#include <stdlib.h>
#include <sys/stat.h>

namespace ringlet_tests {

/// A directory of its own, removed with all that is in it.
class temporary_folder {
public:
    temporary_folder() : path_{(std::filesystem::temp_directory_path() / "ringlet-test-XXXXXX").string()} {
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }
    std::string path(std::string_view name) const { return path_ + "/" + std::string{name}; }

private:
    std::string path_;
};

}  // namespace ringlet_tests
