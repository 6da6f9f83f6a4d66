// SPDX-License-Identifier: MIT
#pragma once

#include <climits>

#include <cstddef>
#include <string>
#include <string_view>

namespace fetch {

/// Longest name that safe_name gives but for a '_' behind it, so that ".12345" and ".part.state.new" still fit into NAME_MAX.
inline constexpr std::size_t name_bytes_max = 233;

/// What stands behind the name of a file that is not complete.
inline constexpr std::string_view part_suffix = ".part";
/// And of what is known of such a file, and of what is about to be.
inline constexpr std::string_view state_suffix = ".part.state";
inline constexpr std::string_view new_state_suffix = ".part.state.new";

/// Longest name that is taken as it stands: those of its part and state have to fit into NAME_MAX.
inline constexpr std::size_t given_name_bytes_max = NAME_MAX - new_state_suffix.size();

/// The file name for the last segment of a URL's path: percent-decoded once, then made safe. Empty: "index.html".
[[nodiscard]] std::string name_from_segment(std::string_view segment);

/// Makes one file name of any text: no directory, nothing hidden, no control character, nothing that makes it look like
/// another name.
///
/// '/', backslash, controls (C0, DEL, C1), what is not seen (apps::is_unseen; not the joiner within an emoji) and bytes
/// that are no UTF-8 become '_', dots at the beginning go, an
/// over-long name loses its middle, not its extension. A name that ends in one of these suffixes gets a '_', so that no
/// complete file is ever taken for a part. Empty when nothing is left.
[[nodiscard]] std::string safe_name(std::string_view text);

/// The file name that a Content-Disposition gives (RFC 6266), without directories and made safe; filename* goes before
/// filename. Empty when there is none.
[[nodiscard]] std::string name_from_disposition(std::string_view field);

/// "name" for 0, then "name.1", "name.2".
[[nodiscard]] std::string numbered(const std::string& name, unsigned number);

}  // namespace fetch
