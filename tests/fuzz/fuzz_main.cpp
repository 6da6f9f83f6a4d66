// SPDX-License-Identifier: MIT
// Replays the files of a corpus through a fuzz target, each whole and each cut short at every byte, as a normal test.
//
//     fuzz_request_parser DIRECTORY...
#include "fuzz.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

void replay(const std::string& bytes) {
    // A copy of exactly this size, so that the sanitizer sees a read behind the end.
    const std::vector<std::uint8_t> exact{bytes.begin(), bytes.end()};
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t files = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator{argv[i]}) {
            if (!entry.is_regular_file()) continue;
            std::ifstream in{entry.path(), std::ios::binary};
            const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
            std::fprintf(stderr, "%s\n", entry.path().c_str());
            for (std::size_t size = 0; size <= bytes.size(); ++size) replay(bytes.substr(0, size));
            ++files;
        }
    }
    std::printf("%zu files replayed\n", files);
    return files > 0 ? 0 : 1;
}
