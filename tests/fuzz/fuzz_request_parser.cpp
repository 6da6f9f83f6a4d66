// SPDX-License-Identifier: MIT
#include "parser_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ringlet::http::limits bounds;
    bounds.line_bytes_max = 256;  // so that the fuzzer gets to them
    bounds.head_bytes_max = 1024;
    bounds.fields_max = 8;
    using ringlet::http::request_parser;
    fuzz::check_parser(
        fuzz::text_of(data, size), [&] { return request_parser{bounds}; }, [] { return request_parser{}; });
    return 0;
}
