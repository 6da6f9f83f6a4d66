// SPDX-License-Identifier: MIT
#pragma once

#include "common/file_state.hpp"
#include <ringlet/http/conditional.hpp>
#include <ringlet/http/writer.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/net/send_file.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace serve {

using apps::file_state;

/// A file as it is sent: itself, or what lies compressed beside it.
struct representation {
    file_state state;
    std::string_view coding;  ///< Content-Encoding; empty: none
    ringlet::http::validators validators;
    std::optional<ringlet::http::prepared_head> whole;               ///< of the answer that sends all of it
    std::optional<std::string> body;                                 ///< all of it, where it is small
    ringlet::io::owned_fd file;                                      ///< open where there is no body
    mutable ringlet::net::seen_pages in_memory;                      ///< of the open file
    mutable ringlet::deadline looked_at = ringlet::deadline::min();  ///< it was as `state` says
};

/// What stands at a path that may be served.
struct resource {
    bool is_directory = false;
    std::string_view content_type;
    std::vector<representation> forms;  ///< of a file: itself first, then what lies compressed beside it

    /// What this client likes best; the smaller one of two that it likes as much.
    const representation& choose(const ringlet::http::request_head& request) const noexcept;
};

/// The head of an answer with some content of a file, without length and range; with a status that has none (304), the
/// fields that a 200 would have had, too (RFC 9110 section 15.4.5). `extra` is added.
ringlet::http::response_head head_for(ringlet::http::status status, const resource& what, const representation& form,
                                      const ringlet::http::fields& extra);

/// The time that Date and Last-Modified are told in.
std::chrono::sys_seconds now_to_the_second() noexcept;

/// The validators of a file in this state, looked at `now`: the modification date is never later (RFC 9110 section
/// 8.8.2.1). Another coding of it has another entity tag.
ringlet::http::validators validators_of(const file_state& state, std::string_view coding, std::chrono::sys_seconds now);

}  // namespace serve
