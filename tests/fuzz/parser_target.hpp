// SPDX-License-Identifier: MIT
// The properties that both directions of the HTTP parser keep.
#pragma once

#include "fuzz.hpp"
#include "http/trace.hpp"
#include <ringlet/http/writer.hpp>

#include <string>
#include <string_view>

namespace fuzz {

/// The first byte says how the rest is cut; however it is cut, the parser reports the same. What it takes as a head can
/// be written again, and is then read as the same head.
template <typename MakeParser, typename MakeGenerous>
void check_parser(std::string_view input, MakeParser make, MakeGenerous make_generous) {
    const std::size_t piece_bytes = input.empty() ? 1 : static_cast<unsigned char>(input.front()) % 16 + 1;
    const std::size_t first_bytes = input.empty() ? 1 : static_cast<unsigned char>(input.front()) / 16 + 1;
    if (!input.empty()) input.remove_prefix(1);

    auto whole = make();
    auto cut = make();
    require(parser_trace::run(whole, input, input.size(), input.size() + 1) ==
                parser_trace::run(cut, input, first_bytes, piece_bytes),
            "events do not depend on how the bytes are cut");

    auto first = make();
    const auto got = first.feed(std::as_bytes(std::span{input}));
    require(got.consumed <= input.size(), "no more is consumed than there was");
    if (got.what != ringlet::http::event::head) return;
    if constexpr (requires { first.head().reason; }) {
        if (first.head().reason.empty()) first.head().reason = "x";  // else the registered phrase would be written
    }
    std::string written;
    ringlet::http::append_head(written, first.head());
    auto again = make_generous();  // a space after each colon may have come on top
    const auto reread = again.feed(std::as_bytes(std::span{written}));
    require(reread.what == ringlet::http::event::head && reread.consumed == written.size(),
            "a head can be written again");
    require(parser_trace::describe(first.head()) == parser_trace::describe(again.head()), "and is read as the same");
    require(first.body_framing() == again.body_framing() && first.body_bytes() == again.body_bytes(),
            "with one length");
}

}  // namespace fuzz
