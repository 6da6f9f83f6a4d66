// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace comparison {

/// What all servers serve: files, read once at the start, so that no model pays for the disk.
class site {
public:
    static constexpr std::size_t bytes_max = std::size_t{64} << 20;
    static constexpr std::chrono::milliseconds slow_handler{50};
    static constexpr std::string_view slow_path = "slow";

    /// With the pages of the comparison: /1k, /100k and /1m; /slow and /slow16k, whose handler waits slow_handler
    /// as for a database.
    site();
    /// With the regular files of a directory, too: those whose names do not begin with a dot; links are not followed.
    /// Errors: std::system_error; std::runtime_error when they are larger than bytes_max.
    explicit site(const std::string& directory);

    struct page {
        std::string head;  ///< up to the fields that depend on the request
        std::string body;
        std::chrono::nanoseconds wait{0};
    };
    /// Null: there is none. `path` is relative, as clean_path gives it; that of a directory finds its index.html.
    const page* find(std::string_view path) const;

private:
    void add(const std::string& path, std::string body, std::chrono::nanoseconds wait = {});
    std::map<std::string, page, std::less<>> pages_;
    std::size_t bytes_ = 0;
};

}  // namespace comparison
