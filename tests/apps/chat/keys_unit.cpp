// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "chat/terminal/keys.hpp"

#include <string>
#include <string_view>

namespace {

// What each byte alone gives.
std::wstring byte_by_byte(std::string_view bytes) {
    chat::key_decoder decoder;
    std::wstring keys;
    for (const char byte : bytes) keys += decoder.decode({&byte, 1});
    return keys;
}

std::wstring at_once(std::string_view bytes) { return chat::key_decoder{}.decode(bytes); }

struct example {
    std::string_view bytes;
    std::wstring_view keys;
};

}  // namespace

TEST_CASE("keys are the same however their bytes are cut", "[chat][keys]") {
    using namespace std::string_view_literals;
    for (const auto& [bytes, keys] : {
             example{"aé日👩", L"aé日👩"},
             example{"a\xff\xc0\xae", L"a\ufffd\ufffd\ufffd"},
             example{"\xe6\x97x", L"\ufffd\ufffdx"},
             example{"\x1b[D\x1b[C\x1b[A\x1b[B", L"\x02\x06\x10\x0e"},
             example{"\x1bOD\x1bOH\x1bOF", L"\x02\x01\x05"},
             example{"\x1b[1~\x1b[4~\x1b[7~\x1b[8~\x1b[3~", L"\x01\x05\x01\x05\x1d"},
             example{"\x1b[1;5Dx\x1b[1;5Cy",
                     L"\x1b"
                     "bx\x1b"
                     "fy"},
             example{"\x1b[200~x\x1b[201~", L"x"},
             example{"\x1b[15~\x1b[5~\x1b[Z\x1b[12;40Rx", L"x"},
             example{"\x1b"
                     "b\x1b"
                     "d\x1b\x7f",
                     L"\x1b"
                     "b\x1b"
                     "d\x1b\x7f"},
             example{"\x1bxy", L"y"},
             example{"\x1b\x1b[Dx", L"\x02x"},
             example{"\x1b[1\x15x", L"\x15x"},  // broken off by Ctrl-U
             example{"\x1bé", L"é"},
             example{"a\0\x03\x11\x12\x13\x16\x18\x1a\x1c\x1d\x1e\x1f"sv, L"a"},
             example{"\xc2\x9b[2J\xc2\x80", L"[2J"},  // C1
             example{"\t\r\n\x7f\x08", L"\t\r\n\x7f\x08"},
         }) {
        INFO(std::string{bytes});
        CHECK((at_once(bytes) == keys));
        CHECK((byte_by_byte(bytes) == keys));
    }
}

TEST_CASE("a sequence without end holds back nothing for ever", "[chat][keys]") {
    chat::key_decoder decoder;
    CHECK(decoder.decode("\x1b[" + std::string(100, '0')).size() < 100);
    CHECK((decoder.decode("x") == L"x"));
}
