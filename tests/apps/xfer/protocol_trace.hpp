// SPDX-License-Identifier: MIT
// Runs the reader of frames over bytes and writes down what it reported, as one line of text that a test can compare.
#pragma once

#include "xfer/protocol.hpp"
#include <ringlet/core/bytes.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace xfer_trace {

inline void note(std::string& trace, const xfer::frame_reader& reader, const xfer::frame_reader::step& found) {
    using event = xfer::frame_reader::event;
    switch (found.what) {
        case event::preamble:
            trace += "preamble " + std::to_string(reader.version()) + ";";
            break;
        case event::frame:
            trace += static_cast<char>(reader.type());
            trace += " " + std::string{reader.payload()} + ";";
            break;
        case event::data:
            trace += "data " + std::to_string(reader.missing()) + ";";
            break;
        case event::piece:
            trace += ringlet::as_text(found.piece);
            break;
        case event::error:
            trace += "error " + std::string{reader.what()} + ";";
            break;
        case event::need_more:
            break;
    }
}

/// Feeds `bytes`, first `first_bytes` of them, then pieces of `piece_bytes`.
inline std::string run(std::string_view bytes, std::size_t first_bytes, std::size_t piece_bytes) {
    xfer::frame_reader reader;
    std::string trace;
    bool waits = false;
    for (std::size_t size = first_bytes; !bytes.empty(); size = piece_bytes) {
        auto part = ringlet::as_bytes(bytes.substr(0, size));
        bytes.remove_prefix(part.size());
        while (!part.empty()) {
            const auto found = reader.feed(part);
            part = part.subspan(found.consumed);
            note(trace, reader, found);
            waits = found.what == xfer::frame_reader::event::need_more;
            if (found.what == xfer::frame_reader::event::error) return trace;
        }
    }
    return waits ? trace + "need_more;" : trace;
}

/// Feeds what is missing, and never more.
inline std::string run_by_missing(std::string_view bytes) {
    xfer::frame_reader reader;
    std::string trace;
    while (!bytes.empty()) {
        const auto part = ringlet::as_bytes(bytes.substr(0, reader.missing()));
        const auto found = reader.feed(part);
        bytes.remove_prefix(found.consumed);
        note(trace, reader, found);
        if (found.consumed != part.size()) return trace + "left over;";
        if (found.what == xfer::frame_reader::event::error) return trace;
    }
    return trace;
}

}  // namespace xfer_trace
