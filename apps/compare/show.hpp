// SPDX-License-Identifier: MIT
#pragma once

#include <string>

/// Numbers as people read them, three digits that matter: the same in the table, the sentences and the page.
namespace comparison {

/// "0.08 ms", "12.5 ms", "1.02 s", "4.3 us"; of milliseconds.
std::string show_time_ms(double milliseconds);
/// "143,000", "19.9"
std::string show_rate(double per_second);
/// "512 B", "9.1 KiB"; may be negative.
std::string show_bytes(double bytes);
/// "0.13", "2.0", "64", "1,240"
std::string show_count(double count);

}  // namespace comparison
