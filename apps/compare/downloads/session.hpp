// SPDX-License-Identifier: MIT
#pragma once

#include "common/exit_codes.hpp"
#include "fetch/destination.hpp"
#include "fetch/failure.hpp"
#include <ringlet/http/url.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace comparison {

/// What a command line asks for.
struct download_order {
    std::vector<std::string> urls;
    std::string directory = ".";
    unsigned jobs = 8;
};

/// Result: empty, or why the downloader does not take this URL.
std::string check_download_url(std::string_view text);

/// One file of a run.
struct wanted_file {
    ringlet::http::url url;
    std::string base;  ///< its name, which may get a number
    std::string name;  ///< the one that it has got, in the order of the command line, whoever is done first
};

/// What the downloaders share of a run: which file comes next, the directory, what is said, and what comes of it.
/// Thread: any.
class download_session {
public:
    /// The URLs have been checked. Opens the directory, or makes it. Throws fetch::failure.
    explicit download_session(const download_order& what);

    /// How many files at a time: no more than there are.
    unsigned jobs() const noexcept { return jobs_; }
    /// The next one that nobody has taken; null when there is none.
    const wanted_file* next() noexcept;

    const fetch::destination& directory() const noexcept { return directory_; }
    /// The next free name for a file whose name has been taken meanwhile. Throws fetch::failure.
    std::string another_name(const std::string& base);

    /// Says that a file is there. `took`: since it was begun.
    void done(const std::string& path, std::uint64_t bytes, std::chrono::nanoseconds took);
    /// To be called in a catch block: says why there is none.
    void failed(const wanted_file& which);
    /// A signal has ended it.
    void interrupted(int number);
    /// Says how much came in all. Result: the exit status.
    int finish();

private:
    std::mutex lock_;
    fetch::destination directory_;
    std::vector<wanted_file> files_;
    unsigned jobs_;
    std::size_t taken_ = 0;
    std::size_t done_ = 0;
    std::uint64_t bytes_ = 0;
    apps::exit_code outcome_ = apps::exit_code::ok;
    int signal_ = 0;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

/// Whoever says nothing for so long, or takes nothing, is given up: in all models.
fetch::failure no_connection();
fetch::failure silence();

}  // namespace comparison
