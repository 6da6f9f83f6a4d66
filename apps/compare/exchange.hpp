// SPDX-License-Identifier: MIT
#pragma once

#include "compare/site.hpp"
#include <ringlet/http/parser.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace comparison {

/// What is sent for one request.
struct answer {
    std::string text;                  ///< head and body
    std::chrono::nanoseconds wait{0};  ///< what the handler takes before it
    bool closes = false;               ///< the connection ends behind it
};

/// HTTP on one connection, without any input or output: bytes in, answers out. All models share it, so that nothing but
/// their way of waiting differs.
class exchange {
public:
    explicit exchange(const site& pages);

    /// Takes what has come. Call `next` until it has no more before the next `feed`.
    void feed(std::string_view bytes);
    /// The answer to the next request that has come whole; nullopt: more must come first.
    std::optional<answer> next();

private:
    answer reply();
    answer refuse(ringlet::http::status why, std::string_view fields = {});

    const site* pages_;
    ringlet::http::request_parser parser_;
    std::string input_;
    std::size_t used_ = 0;           // of the input
    std::optional<answer> pending_;  // until the request's body has come, too
    bool over_ = false;
};

}  // namespace comparison
