// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "protocol_trace.hpp"
#include "xfer/protocol.hpp"
#include <ringlet/core/bytes.hpp>

#include <limits>
#include <string>

namespace {

using namespace xfer;
using event = frame_reader::event;

// All that a server may say, and what is not small.
std::string everything() {
    std::string bytes = encode_preamble();
    bytes += encode_wait();
    bytes += encode(offer{.size = 700, .start = 3, .modified_seconds = -1, .modified_nanoseconds = 999'999'999});
    bytes += encode_data_head(300) + std::string(300, 'a');
    bytes += encode_wait();
    bytes += encode_data_head(1) + "b";
    bytes += encode(ending{.how = status::ok, .sha256 = std::string(32, '\x80')});
    bytes += encode(refusal{.why = status::busy, .text = "later"});
    return bytes + encode_receipt(status::damaged);
}

std::string payload_of(const std::string& frame) { return frame.substr(frame_head_bytes); }

bool is_error(const std::string& bytes) {
    return xfer_trace::run(encode_preamble() + bytes, 1, 1).find("error") != std::string::npos;
}

std::string head(char type, std::uint32_t bytes) {
    std::string text{type};
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(bytes >> shift);
    return text;
}

}  // namespace

TEST_CASE("frames are the same wherever the bytes are cut", "[xfer]") {
    const std::string bytes = everything();
    const std::string whole = xfer_trace::run(bytes, bytes.size(), bytes.size());
    CHECK(whole.find("error") == std::string::npos);
    CHECK(whole.starts_with("preamble 1;W ;O "));
    for (std::size_t first = 1; first <= bytes.size(); ++first)
        CHECK(xfer_trace::run(bytes, first, bytes.size()) == whole);
    for (std::size_t piece = 1; piece <= 64; ++piece) CHECK(xfer_trace::run(bytes, piece, piece) == whole);
}

TEST_CASE("who reads what is missing reads no byte of what comes behind", "[xfer]") {
    const std::string bytes = everything();
    CHECK(xfer_trace::run_by_missing(bytes) == xfer_trace::run(bytes, bytes.size(), bytes.size()));
}

TEST_CASE("what is written is read as the same", "[xfer]") {
    const request asked{.name = std::string("a\n\xff/b"), .offset = 1ULL << 40, .prefix = std::string(32, 'x')};
    CHECK(decode_request(payload_of(encode(asked))) == asked);
    const request fresh{.name = std::string(name_bytes_max, 'n'), .offset = 0, .prefix = ""};
    CHECK(decode_request(payload_of(encode(fresh))) == fresh);
    const offer offered{.size = std::numeric_limits<std::uint64_t>::max(),
                        .start = 7,
                        .modified_seconds = -5,
                        .modified_nanoseconds = 3};
    CHECK(decode_offer(payload_of(encode(offered))) == offered);
    const ending end{.how = status::changed, .sha256 = std::string(32, '\0')};
    CHECK(decode_ending(payload_of(encode(end))) == end);
    const refusal refused{.why = status::not_found, .text = "no"};
    CHECK(decode_refusal(payload_of(encode(refused))) == refused);
    CHECK(decode_receipt(payload_of(encode_receipt(status::not_kept))) == status::not_kept);
}

TEST_CASE("the bytes are those of the written protocol", "[xfer]") {
    CHECK(encode_preamble() == std::string("RINGXFER\0\1", 10));
    CHECK(encode(request{.name = "ab", .offset = 0x0102, .prefix = std::string(32, 'p')}) ==
          std::string("G\0\0\0\x2a\0\0\0\0\0\0\1\2", 13) + std::string(32, 'p') + "ab");
    CHECK(encode(offer{.size = 5, .start = 0, .modified_seconds = 1, .modified_nanoseconds = 2}) ==
          std::string("O\0\0\0\x1c"
                      "\0\0\0\0\0\0\0\5"
                      "\0\0\0\0\0\0\0\0"
                      "\0\0\0\0\0\0\0\1"
                      "\0\0\0\2",
                      33));
    CHECK(encode_data_head(258) == std::string("D\0\0\1\2", 5));
    CHECK(encode(refusal{.why = status::bad_version, .text = "x"}) == std::string("R\0\0\0\3\0\3x", 8));
}

TEST_CASE("frames that cannot be are errors as soon as their head has come", "[xfer]") {
    CHECK(is_error(head('X', 0)));
    CHECK(is_error(head('\0', 0)));
    CHECK(is_error(head('W', 1)));
    CHECK(is_error(head('D', 0)));
    CHECK(is_error(head('D', data_bytes_max + 1)));
    CHECK(is_error(head('D', 0xffffffff)));
    CHECK(is_error(head('G', 40)));  // no name
    CHECK(is_error(head('G', 40 + name_bytes_max + 1)));
    CHECK(is_error(head('R', 2 + text_bytes_max + 1)));
    CHECK(is_error(head('O', 27)));
    CHECK(is_error(head('E', 35)));
    CHECK(is_error(head('A', 0)));
    CHECK_FALSE(is_error(head('D', data_bytes_max)));
    CHECK_FALSE(is_error(head('G', 40 + name_bytes_max)));
}

TEST_CASE("another magic is an error at its first wrong byte, another version is told", "[xfer]") {
    CHECK(xfer_trace::run("GET / HT", 1, 1).starts_with("error"));
    CHECK(xfer_trace::run("RINGXFEQ", 8, 8).starts_with("error"));
    CHECK(xfer_trace::run("R", 1, 1) == "need_more;");
    CHECK(xfer_trace::run(encode_preamble(513) + encode(refusal{.why = status::bad_version, .text = "2"}), 3, 3)
              .starts_with("preamble 513;R "));
}

TEST_CASE("an answer refuses when it is a refusal and nothing else", "[xfer]") {
    const auto told = [](const std::string& answer) { return is_refusal(ringlet::as_bytes(answer)); };
    refusal said;
    said.why = status::bad_request;
    said.text = text_of(said.why);
    const std::string answer = encode_preamble() + encode(said);
    CHECK(answer.size() <= refusal_bytes_max);
    for (std::size_t bytes = 0; bytes < answer.size(); ++bytes) CHECK(told(answer.substr(0, bytes)) == std::nullopt);
    CHECK(told(answer) == true);
    CHECK(told(answer + "x") == false);
    CHECK(told("RINGXFER is the magic") == false);
    CHECK(told("a file") == false);
    CHECK(told(encode_preamble() + encode(offer{})) == false);
    CHECK(told(encode_preamble() + encode_data_head(5)) == false);
    CHECK(told(encode_preamble() + "G") == false);           // however long its frame may be
    CHECK(told(encode_preamble(7) + encode(said)) == true);  // as in all versions
}

TEST_CASE("malformed payloads are no requests and no offers", "[xfer]") {
    std::string asked = payload_of(encode(request{.name = "a", .offset = 0, .prefix = ""}));
    CHECK(decode_request(asked));
    asked[8] = 1;  // the digest of nothing
    CHECK_FALSE(decode_request(asked));
    CHECK_FALSE(decode_request(""));
    CHECK_FALSE(decode_offer(
        payload_of(encode(offer{.size = 1, .start = 2, .modified_seconds = 0, .modified_nanoseconds = 0}))));
    CHECK_FALSE(decode_offer(payload_of(
        encode(offer{.size = 1, .start = 1, .modified_seconds = 0, .modified_nanoseconds = 1'000'000'000}))));
    CHECK_FALSE(decode_ending("short"));
}
