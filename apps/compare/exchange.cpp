// SPDX-License-Identifier: MIT
#include "compare/exchange.hpp"

#include <ringlet/core/bytes.hpp>
#include <ringlet/http/path.hpp>

#include <fmt/format.h>

#include <utility>

namespace comparison {
namespace {

namespace http = ringlet::http;

constexpr std::string_view not_found = "404 Not Found\n";

http::limits limits() {
    http::limits all;
    all.body_bytes_max = 64 * 1024;  // nobody reads them
    return all;
}

}  // namespace

exchange::exchange(const site& pages) : pages_{&pages}, parser_{limits()} {}

void exchange::feed(std::string_view bytes) {
    input_.erase(0, std::exchange(used_, 0));
    input_ += bytes;
}

std::optional<answer> exchange::next() {
    while (!over_) {
        const auto found = parser_.feed(ringlet::as_bytes(std::string_view{input_}.substr(used_)));
        used_ += found.consumed;
        switch (found.what) {
            case http::event::head:
                pending_ = reply();
                break;
            case http::event::complete:
                over_ = pending_->closes;
                return std::exchange(pending_, std::nullopt);
            case http::event::error:
                over_ = true;
                return refuse(parser_.error().status);
            case http::event::need_more:
                return std::nullopt;
            default:  // a body, which nobody reads
                break;
        }
    }
    return std::nullopt;
}

answer exchange::reply() {
    const http::request_head& asked = parser_.head();
    const bool closes = !parser_.keep_alive();
    const bool head_only = asked.method == http::method::head;
    if (asked.method != http::method::get && !head_only)
        return refuse(http::status::method_not_allowed, "Allow: GET, HEAD\r\n");
    const auto where = http::clean_path(asked.target);
    const site::page* const page = where ? pages_->find(where->path) : nullptr;
    answer made{.text = {}, .wait = {}, .closes = closes};
    const std::string_view ending = closes                                     ? "Connection: close\r\n\r\n"
                                    : asked.version == http::version::http_1_0 ? "Connection: keep-alive\r\n\r\n"
                                                                               : "\r\n";
    if (page == nullptr) {
        made.text = fmt::format("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n{}{}",
                                head_only ? 0 : not_found.size(), ending, head_only ? "" : not_found);
        return made;
    }
    made.wait = page->wait;
    made.text.reserve(page->head.size() + ending.size() + page->body.size());
    made.text = page->head;
    made.text += ending;
    if (!head_only) made.text += page->body;
    return made;
}

// The connection ends behind it: where the next request begins is in doubt, or not worth finding out.
answer exchange::refuse(http::status why, std::string_view fields) {
    const std::string text = fmt::format("{} {}\n", to_number(why), http::reason_phrase(why));
    return {.text = fmt::format("HTTP/1.1 {}Content-Length: {}\r\n{}Connection: close\r\n\r\n{}",
                                text.substr(0, text.size() - 1) + "\r\n", text.size(), fields, text),
            .wait = {},
            .closes = true};
}

}  // namespace comparison
