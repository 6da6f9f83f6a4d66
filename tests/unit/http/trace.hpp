// SPDX-License-Identifier: MIT
// Runs a parser over bytes and writes down what it reported, as one line of text that a test can compare.
#pragma once

#include <ringlet/http/parser.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace parser_trace {

namespace http = ringlet::http;

inline std::string describe(const http::request_head& head) {
    std::string out = "head " + head.method_text + " " + head.target;
    out += head.version == http::version::http_1_0 ? " 1.0" : " 1.1";
    for (const auto& f : head.fields) out += " [" + std::string{f.name} + "=" + std::string{f.value} + "]";
    return out;
}

inline std::string describe(const http::response_head& head) {
    std::string out = "head " + std::to_string(http::to_number(head.status)) + " '" + head.reason + "'";
    for (const auto& f : head.fields) out += " [" + std::string{f.name} + "=" + std::string{f.value} + "]";
    return out;
}

/// Feeds `input` in pieces of at most `piece_bytes`, the first of `first_bytes`, then the end.
/// "head ...;body:abc;complete keep;end" and the like; successive body pieces are one.
template <typename Parser>
std::string run(Parser& parser, std::string_view input, std::size_t first_bytes, std::size_t piece_bytes) {
    std::string out;
    bool in_body = false;
    const auto note = [&](const http::parse_result& r) {
        if (r.what == http::event::body) {
            if (!in_body) out += "body:";
            in_body = true;
            out.append(reinterpret_cast<const char*>(r.body.data()), r.body.size());
            return;
        }
        if (r.what == http::event::need_more) return;
        if (in_body) out += ";";
        in_body = false;
        if (r.what == http::event::head) out += describe(parser.head()) + ";";
        if (r.what == http::event::complete) out += parser.keep_alive() ? "complete keep;" : "complete close;";
        if (r.what == http::event::end) out += "end";
        if (r.what == http::event::error)
            out += "error " + std::to_string(http::to_number(parser.error().status)) + " " +
                   std::string{parser.error().reason};
    };
    std::size_t size = std::max<std::size_t>(first_bytes, 1);
    while (!input.empty()) {
        auto piece = input.substr(0, size);
        input.remove_prefix(piece.size());
        size = piece_bytes;
        for (;;) {
            const auto r = parser.feed(std::as_bytes(std::span{piece}));
            note(r);
            if (r.what == http::event::error) return out;
            piece.remove_prefix(r.consumed);
            if (r.what == http::event::need_more) break;
        }
    }
    for (;;) {
        const auto r = parser.finish();
        note(r);
        if (r.what != http::event::complete) return out;
    }
}

/// The trace of `input` in one piece; when any other way to cut it gives another one, a text that says so.
template <typename MakeParser>
std::string run_all_ways(std::string_view input, MakeParser make) {
    auto parser = make();
    const std::string whole = run(parser, input, input.size(), input.size());
    for (std::size_t cut = 0; cut < input.size(); ++cut) {
        auto again = make();
        const std::string split =
            cut == 0 ? run(again, input, 1, 1) : run(again, input, cut, input.size());  // 0: byte by byte
        if (split != whole)
            return "differs when cut at " + std::to_string(cut) + ": '" + split + "' and not '" + whole + "'";
    }
    return whole;
}

inline std::string request(std::string_view input, const http::limits& bounds = {}) {
    return run_all_ways(input, [&] { return http::request_parser{bounds}; });
}

inline std::string response(std::string_view input, http::method answered = http::method::get,
                            const http::limits& bounds = http::limits::for_responses()) {
    return run_all_ways(input, [&] {
        http::response_parser parser{bounds};
        parser.answers(answered);
        return parser;
    });
}

/// "400" for "...;error 400 why"; empty when there was no error.
inline std::string error_status(std::string_view trace) {
    const auto at = trace.find("error ");
    return at == std::string_view::npos ? std::string{} : std::string{trace.substr(at + 6, 3)};
}

}  // namespace parser_trace
