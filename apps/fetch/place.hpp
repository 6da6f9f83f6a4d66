// SPDX-License-Identifier: MIT
#pragma once

#include "fetch/destination.hpp"
#include "fetch/part_file.hpp"
#include "fetch/present_file.hpp"

#include <memory>
#include <string>

namespace fetch {

/// Where the file of an item is to stand.
struct place {
    std::string name;                  ///< claimed, for the time when it is complete
    std::unique_ptr<part_file> left;   ///< what an earlier run has of it, or null
    present_files* present = nullptr;  ///< files that are there under the wanted name and its numbers; null: none
};

/// Finds it, without waiting, so that names are given in the order of asking. A part of an earlier run is gone on with; one
/// that is in the way (see part_file::take_up) is passed over, and with wishes.only_name a failure. Throws failure.
[[nodiscard]] place find_place(destination& where, const file_wishes& wishes);

}  // namespace fetch
