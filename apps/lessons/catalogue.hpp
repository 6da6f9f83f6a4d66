// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

namespace lessons {

/// A small program that shows one thing.
struct lesson {
    std::string_view name;
    std::string_view summary;  ///< one line
    std::string_view text;     ///< its source file
    void (*run)();             ///< prints on standard output; may throw
};

/// A file that lessons include.
struct helper {
    std::string_view name;
    std::string_view text;
};

/// In the order of the course. embed.py makes both lists.
const std::vector<lesson>& catalogue();
const std::vector<helper>& helpers();

}  // namespace lessons
