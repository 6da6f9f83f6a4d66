// SPDX-License-Identifier: MIT
#pragma once

#include "common/numbers.hpp"
#include "xfer/options.hpp"
#include "xfer/out_file.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace xfer {

class display;

/// A file on its way. What downloads it writes here, what shows it reads.
struct download {
    std::string note = "connecting";     ///< what it waits for; empty while the bytes come
    std::uint64_t bytes = 0;             ///< of the file, with what an earlier run had
    std::uint64_t resumed = 0;           ///< of those, what was there
    std::optional<std::uint64_t> total;  ///< of the file, where it is known
    std::string sha256;                  ///< in hexadecimal digits, when it has been checked
    bool saved = false;                  ///< it has its name: nothing can go wrong any more
    bool kept = false;                   ///< a part stays, for another run
    ringlet::deadline began;
    ringlet::deadline moved;  ///< when the last bytes came
    apps::rate_window rate;   ///< of the bytes of this run
};

/// Fetches the file that `how` names, with checks and a name at the end.
/// Errors: failure; `cancelled`. What has come by then is kept as OUT.part where it is worth it.
ringlet::task<> fetch(const get_options& how, download& state, display& screen);

}  // namespace xfer
