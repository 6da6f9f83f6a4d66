// SPDX-License-Identifier: MIT
// One file after the other. While a server takes its time, nothing else is done: the times add up.
#include "compare/downloads/models.hpp"

namespace comparison {

void fetch_sequential(download_session& all) {
    while (const wanted_file* const next = all.next()) fetch_waiting(*next, all);
}

}  // namespace comparison
