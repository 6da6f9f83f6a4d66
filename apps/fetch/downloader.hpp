// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/board.hpp"
#include "fetch/connection_pool.hpp"
#include "fetch/destination.hpp"
#include "fetch/display.hpp"
#include "fetch/download.hpp"
#include "fetch/options.hpp"
#include "fetch/rate_limiter.hpp"
#include <ringlet/core/task.hpp>

#include <optional>
#include <string>

namespace fetch {

/// Fetches what is on a board.
class downloader {
public:
    /// Opens the directory for the files. Throws failure.
    downloader(const options& how, board& work, display& screen);

    /// Fetches everything, at most `jobs` at a time, and always so many while there is enough to do. What fails is noted on
    /// the board and said; nothing but `cancelled` is thrown, and then nothing stands under a final name that is not whole.
    ringlet::task<> fetch_all();

private:
    ringlet::task<> work_on();
    ringlet::task<> fetch(transfer& t);

    const options* options_;
    board* board_;
    display* display_;
    std::optional<destination> where_;  // absent when all goes to standard output
    std::string output_name_;           // of -o, without its directory
    connection_pool connections_;
    pipe_pool pipes_;
    rate_limiter rate_;
    workshop shop_;
};

}  // namespace fetch
