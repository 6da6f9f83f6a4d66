// SPDX-License-Identifier: MIT
// One result, one line of JSON on stdout: what run.py reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

class json_line {
public:
    json_line& add(std::string_view key, double value);
    json_line& add(std::string_view key, std::uint64_t value);
    json_line& add(std::string_view key, std::string_view value);
    void print();

private:
    void add_raw(std::string_view key, std::string_view value);

    std::string text_;
};

}  // namespace bench
