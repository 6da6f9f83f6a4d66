// SPDX-License-Identifier: MIT
// What the fuzz targets share. A target is one LLVMFuzzerTestOneInput; fuzz_main.cpp replays files through it, and with
// -Dfuzz=true (clang) libFuzzer drives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process when a property does not hold; also in builds without assert.
inline void require(bool good, const char* property) {
    if (good) return;
    std::fprintf(stderr, "violated: %s\n", property);
    std::abort();
}

}  // namespace fuzz
