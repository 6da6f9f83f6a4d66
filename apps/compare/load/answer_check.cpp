// SPDX-License-Identifier: MIT
#include "compare/load/answer_check.hpp"

#include <ringlet/core/bytes.hpp>

#include <algorithm>
#include <utility>

namespace comparison {

namespace http = ringlet::http;

answer_check::verdict answer_check::feed(std::string_view& bytes) {
    if (parses_) return parse(bytes);
    if (bytes.empty()) return verdict::more;
    const known_answer* const known = same_ > 0 ? compared_.get() : page_->known.get();
    if (known != nullptr) {
        const std::string_view rest = std::string_view{known->text}.substr(same_);
        const std::size_t common = std::min(bytes.size(), rest.size());
        if (bytes.starts_with(rest.substr(0, common))) {
            bytes.remove_prefix(common);
            if (common < rest.size()) {
                if (same_ == 0) compared_ = page_->known;
                same_ += common;
                return verdict::more;
            }
            same_ = 0;
            keeps_ = known->keeps;
            return verdict::right;
        }
    }
    parses_ = true;
    if (same_ > 0) {
        std::string_view before = std::string_view{known->text}.substr(0, std::exchange(same_, 0));
        if (const verdict so_far = parse(before); so_far != verdict::more) return so_far;
    }
    return parse(bytes);
}

answer_check::verdict answer_check::finish() {
    if (!parses_ || parser_.finish().what != http::event::complete) return verdict::cut;
    return end_of_answer();
}

answer_check::verdict answer_check::parse(std::string_view& bytes) {
    for (;;) {
        const auto found = parser_.feed(ringlet::as_bytes(bytes));
        text_ += bytes.substr(0, found.consumed);
        bytes.remove_prefix(found.consumed);
        if (found.what == http::event::need_more) return verdict::more;
        if (const verdict said = judge(found); said != verdict::more) return said;
    }
}

answer_check::verdict answer_check::judge(const http::parse_result& found) {
    switch (found.what) {
        case http::event::head:
            keeps_ = parser_.keep_alive();
            return parser_.head().status == http::status::ok ? verdict::more : verdict::wrong_status;
        case http::event::body: {
            const std::string_view piece = ringlet::as_text(found.body);
            if (!std::string_view{page_->body}.substr(body_).starts_with(piece)) return verdict::wrong_bytes;
            body_ += piece.size();
            return verdict::more;
        }
        case http::event::complete:
            return end_of_answer();
        case http::event::need_more:
            return verdict::more;
        case http::event::end:
        case http::event::error:
            break;
    }
    return verdict::no_http;
}

answer_check::verdict answer_check::end_of_answer() {
    const bool is_whole = std::exchange(body_, 0) == page_->body.size();
    parses_ = false;
    if (!is_whole) return verdict::wrong_bytes;
    page_->known = std::make_shared<const known_answer>(known_answer{std::exchange(text_, {}), keeps_});
    return verdict::right;
}

}  // namespace comparison
