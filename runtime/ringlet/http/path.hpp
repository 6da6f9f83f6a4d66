// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/checked.hpp>

#include <string>
#include <string_view>

namespace ringlet::http {

/// Where below a served root a request points. Made by clean_path only.
struct clean_target {
    /// Relative to the root, decoded, without empty, "." and ".." segments, and without a slash at either end. Empty:
    /// the root itself. Any bytes but NUL, '/' as part of a name, and backslash.
    std::string path;
    /// What follows '?', not decoded; empty when there is none.
    std::string query;
    /// The target ended in a slash (or in "/." or "/.."), or is the root: a directory is meant.
    bool directory = false;
    /// Some segment starts with a dot.
    bool hidden = false;
};

/// Turns a request-target into a path below the root (RFC 9112 section 3.2, RFC 3986 section 5.2.4).
///
/// Takes origin-form ("/a/b?q") and absolute-form with http or https ("http://host/a"), of which only the path counts.
/// Decodes once, then resolves "." and "..". Refused: what leaves the root, NUL, a bad percent sign, an empty segment
/// ("//"), an encoded slash, a backslash in any form, segments over 255 and paths over 4095 bytes, and other forms.
/// The reason is for the log; to the client all of them are the same 400 or 404.
[[nodiscard]] checked<clean_target> clean_path(std::string_view target);

/// The Location for a directory that was asked for without its slash: always an absolute path on this host, so that no
/// name ("//evil.com", "\evil.com") can lead elsewhere.
[[nodiscard]] std::string slash_redirect(const clean_target& target);

}  // namespace ringlet::http
