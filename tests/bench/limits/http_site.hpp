// SPDX-License-Identifier: MIT
// What the hand-written HTTP server knows of its files and of requests: as little as an honest answer needs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bench {

struct page {
    std::string head;  ///< of a 200, without Date, Connection and the empty line
    std::string body;  ///< empty when it is sent from the file
    int file = -1;
    std::uint64_t bytes = 0;
};

/// The files in a directory, read once; a change afterwards is not seen.
class http_site {
public:
    /// Files of more than `body_bytes_max` stay open and are sent from there. Exits with a message when it cannot read.
    http_site(const std::string& directory, std::uint64_t body_bytes_max);

    /// Null: there is none.
    [[nodiscard]] const page* find(std::string_view path) const {
        const auto at = pages_.find(path);
        return at == pages_.end() ? nullptr : &at->second;
    }

private:
    std::map<std::string, page, std::less<>> pages_;
};

/// The first request in `input`.
struct http_request {
    std::size_t bytes = 0;  ///< of its head; 0 when it is not whole yet
    std::string_view path;
    bool head_only = false;
    bool closes = false;
    bool bad = false;  ///< nothing but GET and HEAD without a body is understood
};
http_request scan_request(std::string_view input);

/// "Date: ...\r\n", made anew once a second.
class date_line {
public:
    std::string_view text();

private:
    std::int64_t second_ = -1;
    std::array<char, 37> text_{};
};

}  // namespace bench
