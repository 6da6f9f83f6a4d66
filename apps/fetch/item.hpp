// SPDX-License-Identifier: MIT
#pragma once

#include "common/digest.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fetch {

/// One thing to download. Small: a list may have many.
struct item {
    std::string url;                                      ///< one that http::url::parse takes, without a login
    std::string name;                                     ///< of the file, from the list; empty: named after the URL
    std::shared_ptr<const apps::wanted_digest> checksum;  ///< null: none
};

/// Reads a URL as people write it. Result: empty, or what is wrong with it.
[[nodiscard]] std::string check_url(std::string_view text);

/// Reads a list: one item a line, "[ALGORITHM:HEX] URL [NAME]"; empty lines and those that begin with '#' are passed over.
/// Result: empty, or the number of the first line that is wrong and why.
[[nodiscard]] std::string read_list(std::string_view text, std::vector<item>& into);

/// Reads a file as sha256sum(1) and its like write it, "HEX  NAME" or "SHA256 (NAME) = HEX" a line, and gives each item without a checksum the one of
/// its name: that from the list, else the last part of its URL, as it is or made safe. The number of digits tells the algorithm.
/// Result: empty, or what is wrong: a line, or an item that has none.
[[nodiscard]] std::string read_sums(std::string_view text, std::vector<item>& items);

}  // namespace fetch
