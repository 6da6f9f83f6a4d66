// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/http/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace comparison {

/// An answer that was found right, from its first byte to its last.
struct known_answer {
    std::string text;
    bool keeps = false;  ///< the connection goes on behind it
};

/// A page as it should come, shared by all who ask for it.
struct wanted_page {
    std::string body;
    /// The last right one: another answer of the same bytes is right, too, and to see that costs no parsing.
    std::shared_ptr<const known_answer> known;
};

/// Looks at each byte of the answers that come on one connection. Does no I/O.
class answer_check {
public:
    /// `cut`: the peer ended in the middle.
    enum class verdict : std::uint8_t { more, right, wrong_status, wrong_bytes, no_http, cut };

    explicit answer_check(wanted_page& page) noexcept : page_{&page} {}

    /// Takes what belongs to the answer. After `right` the next answer begins; after a bad verdict the connection is of no
    /// more use, nor is this.
    verdict feed(std::string_view& bytes);
    /// The peer has ended its side: `right` when that ends the answer.
    verdict finish();
    /// After `right`: the connection goes on.
    bool keeps() const noexcept { return keeps_; }

private:
    verdict parse(std::string_view& bytes);
    verdict judge(const ringlet::http::parse_result& found);
    verdict end_of_answer();

    wanted_page* page_;
    std::shared_ptr<const known_answer> compared_;  // this answer began as that one does, `same_` bytes of it
    std::size_t same_ = 0;
    bool parses_ = false;  // it went on differently: the parser has it from its beginning
    bool keeps_ = false;
    ringlet::http::response_parser parser_;
    std::string text_;      // what it has been fed
    std::size_t body_ = 0;  // bytes of the body that were right
};

}  // namespace comparison
