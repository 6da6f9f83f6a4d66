// SPDX-License-Identifier: MIT
// Text and bytes: one word in UTF-8 and in GBK.
//
// A network carries bytes, numbers from 0 to 255, and knows nothing of letters. An encoding is the
// table that says which bytes stand for which character, and both sides must use the same one.
// UTF-8 is the world's (one to four bytes a character), GBK is China's older one (one or two
// bytes).
//
// In Python a str is text, bytes are bytes, and encode() and decode() go between them. A
// std::string holds bytes already, and nothing in it says in which encoding; what stands between
// quotes here is UTF-8, because this file is. The function iconv ("man 3 iconv") turns one encoding
// into the other.

#include <fmt/format.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include <iconv.h>

// text.decode(from).encode(to)
std::string convert(std::string text, const char* from, const char* to) {
    const iconv_t converter = ::iconv_open(to, from);
    if (converter == reinterpret_cast<iconv_t>(-1))
        throw std::runtime_error{fmt::format("this system cannot convert from {} to {}", from, to)};
    std::string result(text.size() * 4, '\0');  // no encoding needs more
    char* in = text.data();
    char* out = result.data();
    std::size_t in_left = text.size();
    std::size_t out_left = result.size();
    const bool failed = ::iconv(converter, &in, &in_left, &out, &out_left) == static_cast<std::size_t>(-1);
    ::iconv_close(converter);
    if (failed)
        throw std::runtime_error{fmt::format("from {} to {}: byte {} cannot be converted", from, to, in - text.data())};
    result.resize(result.size() - out_left);
    return result;
}

std::string hex(std::string_view bytes) {
    std::string result;
    for (const unsigned char byte : bytes) result += fmt::format(" {:02x}", byte);
    return result;
}

void try_to_convert(std::string text, const char* from, const char* to) {
    try {
        fmt::print("  {}\n", convert(text, from, to));
    } catch (const std::runtime_error& error) {
        fmt::print("  {}\n", error.what());
    }
}

int main() {
    const std::string utf8 = "你好";
    const std::string gbk = convert(utf8, "UTF-8", "GBK");
    fmt::print("{} in UTF-8 is {} bytes:{}\n", utf8, utf8.size(), hex(utf8));
    fmt::print("{} in GBK is {} bytes:{}\n", utf8, gbk.size(), hex(gbk));
    fmt::print("and back from GBK: {}\n", convert(gbk, "GBK", "UTF-8"));

    fmt::print("The UTF-8 bytes, read as GBK, are other characters, and nobody is told:\n");
    try_to_convert(utf8, "GBK", "UTF-8");
    fmt::print("The GBK bytes, read as UTF-8, are refused, because UTF-8 has rules that they break:\n");
    try_to_convert(gbk, "UTF-8", "GBK");
    fmt::print("A character that GBK has no bytes for is refused, too:\n");
    try_to_convert("🙂", "UTF-8", "GBK");
}
