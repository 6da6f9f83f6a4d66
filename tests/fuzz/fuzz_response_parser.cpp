// SPDX-License-Identifier: MIT
#include "parser_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using ringlet::http::method;
    const auto input = fuzz::text_of(data, size);
    for (const method answered : {method::get, method::head}) {
        const auto make = [answered] {
            ringlet::http::response_parser parser;
            parser.answers(answered);
            return parser;
        };
        fuzz::check_parser(input, make, make);
    }
    return 0;
}
