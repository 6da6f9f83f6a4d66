// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/http/conditional.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/http/negotiation.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace ringlet::http;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

constexpr sys_seconds modified{seconds{784111777}};
const std::string at = "Sun, 06 Nov 1994 08:49:37 GMT";
const std::string before = "Sun, 06 Nov 1994 08:49:36 GMT";
const std::string after = "Sun, 06 Nov 1994 08:49:38 GMT";
const validators current{.etag = "\"v1\"", .last_modified = modified};

using sent = std::vector<std::pair<const char*, std::string>>;

request_head request(const sent& fields, method m = method::get) {
    request_head head;
    head.method = m;
    for (const auto& [name, value] : fields) head.fields.add(name, value);
    return head;
}

struct condition_case {
    const char* section;
    sent fields;
    precondition wanted;
};

}  // namespace

TEST_CASE("preconditions of RFC 9110 section 13, one by one and in their order", "[http][conditional]") {
    using enum precondition;
    for (const auto& [section, fields, wanted] : std::vector<condition_case>{
             {"none", {}, passed},
             {"13.1.1 any", {{"If-Match", "*"}}, passed},
             {"13.1.1 the same", {{"If-Match", "\"v1\""}}, passed},
             {"13.1.1 in a list", {{"If-Match", "\"v0\", ,\"v1\""}}, passed},
             {"13.1.1 in two fields", {{"If-Match", "\"v0\""}, {"if-match", "\"v1\""}}, passed},
             {"13.1.1 another", {{"If-Match", "\"v0\""}}, failed},
             {"13.1.1 strong", {{"If-Match", "W/\"v1\""}}, failed},
             {"13.1.1 a comma within", {{"If-Match", "\"a,\"v1\""}}, failed},
             {"13.1.1 no tag", {{"If-Match", "v1"}}, failed},
             {"13.1.1 any and a tag", {{"If-Match", "*"}, {"If-Match", "\"v1\""}}, failed},
             {"13.1.1 empty", {{"If-Match", ""}}, failed},
             {"13.1.2 any", {{"If-None-Match", "*"}}, not_modified},
             {"13.1.2 the same", {{"If-None-Match", "\"v1\""}}, not_modified},
             {"13.1.2 weak", {{"If-None-Match", "W/\"v1\""}}, not_modified},
             {"13.1.2 in a list", {{"If-None-Match", "\"v0\",W/\"v1\""}}, not_modified},
             {"13.1.2 a tag and any", {{"If-None-Match", "\"v0\""}, {"If-None-Match", "*"}}, passed},
             {"13.1.2 another", {{"If-None-Match", "\"v0\""}}, passed},
             {"13.1.2 malformed", {{"If-None-Match", "\"v1\" \"v0\""}}, passed},
             {"13.1.3 the same", {{"If-Modified-Since", at}}, not_modified},
             {"13.1.3 later", {{"If-Modified-Since", after}}, not_modified},
             {"13.1.3 earlier", {{"If-Modified-Since", before}}, passed},
             {"13.1.3 no date", {{"If-Modified-Since", "yesterday"}}, passed},
             {"13.1.3 two dates", {{"If-Modified-Since", at}, {"If-Modified-Since", at}}, passed},
             {"13.1.4 the same", {{"If-Unmodified-Since", at}}, passed},
             {"13.1.4 later", {{"If-Unmodified-Since", after}}, passed},
             {"13.1.4 earlier", {{"If-Unmodified-Since", before}}, failed},
             {"13.1.4 no date", {{"If-Unmodified-Since", "0"}}, passed},
             {"13.2.2 If-Match before the date", {{"If-Match", "\"v1\""}, {"If-Unmodified-Since", before}}, passed},
             {"13.2.2 If-None-Match before the date", {{"If-None-Match", "\"v0\""}, {"If-Modified-Since", at}}, passed},
             {"13.2.2 then If-None-Match", {{"If-Match", "\"v1\""}, {"If-None-Match", "\"v1\""}}, not_modified},
             {"13.2.2 a failure first", {{"If-Match", "\"v0\""}, {"If-None-Match", "\"v1\""}}, failed},
             {"13.2.2 then the other date", {{"If-Unmodified-Since", at}, {"If-Modified-Since", at}}, not_modified},
         }) {
        CAPTURE(section);
        CHECK(evaluate_preconditions(request(fields), current) == wanted);
        CHECK(evaluate_preconditions(request(fields, method::head), current) == wanted);
    }
}

TEST_CASE("what is missing matches only what asks for anything", "[http][conditional]") {
    const validators none;
    CHECK(evaluate_preconditions(request({{"If-Match", "\"v1\""}}), none) == precondition::failed);
    CHECK(evaluate_preconditions(request({{"If-Match", "*"}}), none) == precondition::passed);
    CHECK(evaluate_preconditions(request({{"If-None-Match", "\"v1\""}}), none) == precondition::passed);
    CHECK(evaluate_preconditions(request({{"If-Modified-Since", at}}), none) == precondition::passed);
    const validators weak{.etag = "W/\"v1\"", .last_modified = modified};
    CHECK(evaluate_preconditions(request({{"If-Match", "W/\"v1\""}}), weak) == precondition::failed);
    CHECK(evaluate_preconditions(request({{"If-None-Match", "\"v1\""}}), weak) == precondition::not_modified);
}

TEST_CASE("304 is for GET and HEAD, other methods get 412 (RFC 9110 section 13.1.2)", "[http][conditional]") {
    CHECK(evaluate_preconditions(request({{"If-None-Match", "*"}}, method::put), current) == precondition::failed);
    CHECK(evaluate_preconditions(request({{"If-Modified-Since", at}}, method::put), current) == precondition::passed);
}

TEST_CASE("ranges of RFC 9110 section 14.1.2", "[http][range]") {
    using enum selected_range::kind;
    struct range_case {
        const char* value;
        std::uint64_t size;
        selected_range::kind what;
        std::uint64_t first = 0;
        std::uint64_t bytes = 0;
    };
    for (const auto& [value, size, what, first, bytes] : std::vector<range_case>{
             {"bytes=0-0", 10, part, 0, 1},
             {"bytes=0-9", 10, part, 0, 10},
             {"bytes=2-4", 10, part, 2, 3},
             {"BYTES=2-4", 10, part, 2, 3},
             {"bytes= 2-4", 10, part, 2, 3},
             {"bytes=,2-4 ,", 10, part, 2, 3},
             {"bytes=5-", 10, part, 5, 5},
             {"bytes=5-99", 10, part, 5, 5},
             {"bytes=9-99999999999999999999999", 10, part, 9, 1},
             {"bytes=5-18446744073709551615", 10, part, 5, 5},
             {"bytes=-3", 10, part, 7, 3},
             {"bytes=-99", 10, part, 0, 10},
             {"bytes=-99999999999999999999999", 10, part, 0, 10},
             {"bytes=10-", 10, unsatisfiable},
             {"bytes=10-20", 10, unsatisfiable},
             {"bytes=99999999999999999999999-", 10, unsatisfiable},
             {"bytes=-0", 10, unsatisfiable},
             {"bytes=0-", 0, unsatisfiable},
             {"bytes=0-0", 0, unsatisfiable},
             {"bytes=-5", 0, whole},
             {"bytes=20-,30-", 10, unsatisfiable},
             {"bytes=20-,3-4", 10, part, 3, 2},
             {"bytes=3-4,20-", 10, part, 3, 2},
             {"bytes=0-1,3-4", 10, whole},
             {"bytes=0-1,3-4,x", 10, whole},
             {"bytes=", 10, whole},
             {"bytes=-", 10, whole},
             {"bytes=4-2", 10, whole},
             {"bytes=a-b", 10, whole},
             {"bytes=1", 10, whole},
             {"bytes=1-2-3", 10, whole},
             {"bytes=+1-2", 10, whole},
             {"bytes=1 -2", 10, whole},
             {"bytes=20-,4-2", 10, whole},
             {"bytes 0-1", 10, whole},
             {"items=0-1", 10, whole},
             {"", 10, whole},
         }) {
        CAPTURE(value, size);
        const selected_range got = select_range(request({{"Range", value}}), current, size, modified + seconds{9});
        CHECK(got.what == what);
        CHECK(got.first == first);
        CHECK(got.bytes == bytes);
    }
}

TEST_CASE("Range counts with GET alone, and once (RFC 9110 section 14.2)", "[http][range]") {
    const sent one{{"Range", "bytes=1-2"}};
    CHECK(select_range(request(one, method::head), current, 10, modified).what == selected_range::kind::whole);
    const sent two{{"Range", "bytes=1-2"}, {"Range", "bytes=1-2"}};
    CHECK(select_range(request(two), current, 10, modified).what == selected_range::kind::whole);
    CHECK(select_range(request({}), current, 10, modified).what == selected_range::kind::whole);
}

TEST_CASE("If-Range compares strongly (RFC 9110 section 13.1.5)", "[http][range]") {
    const auto taken = [](const std::string& if_range, seconds later, const validators& of = current) {
        const sent fields{{"Range", "bytes=1-2"}, {"If-Range", if_range}};
        return select_range(request(fields), of, 10, modified + later).what == selected_range::kind::part;
    };
    CHECK(taken("\"v1\"", seconds{0}));
    CHECK_FALSE(taken("\"v0\"", seconds{0}));
    CHECK_FALSE(taken("W/\"v1\"", seconds{0}));
    CHECK_FALSE(taken("\"v1\", \"v1\"", seconds{0}));
    CHECK_FALSE(taken("\"v1\"", seconds{0}, validators{.etag = "W/\"v1\"", .last_modified = modified}));
    CHECK(taken(at, seconds{1}));
    CHECK_FALSE(taken(at, seconds{0}));  // it may change again within this second
    CHECK_FALSE(taken(after, seconds{9}));
    CHECK_FALSE(taken(before, seconds{9}));
    CHECK_FALSE(taken("*", seconds{9}));
}

TEST_CASE("Content-Range of a part and of none", "[http][range]") {
    using kind = selected_range::kind;
    CHECK(content_range({.what = kind::part, .first = 2, .bytes = 3}, 10) == "bytes 2-4/10");
    CHECK(content_range({.what = kind::unsatisfiable}, 10) == "bytes */10");
}

TEST_CASE("codings are chosen by weight (RFC 9110 section 12.5.3)", "[http][negotiation]") {
    const auto quality = [](const char* accepted, const char* coding) {
        return accepted_quality(request({{"Accept-Encoding", accepted}}), coding);
    };
    CHECK(accepted_quality(request({}), "gzip") == 0);
    CHECK(accepted_quality(request({}), "identity") == 1);
    CHECK(quality("", "gzip") == 0);
    CHECK(quality("", "identity") == 1);
    CHECK(quality("identity", "identity") == 1000);
    CHECK(quality("gzip;q=0.001", "identity") == 1);
    CHECK(quality("gzip", "gzip") == 1000);
    CHECK(quality("GZIP", "gzip") == 1000);
    CHECK(quality("x-gzip", "gzip") == 1000);
    CHECK(quality("deflate, gzip;q=0.25 , br", "gzip") == 250);
    CHECK(quality("gzip ; Q=0.5", "gzip") == 500);
    CHECK(quality("gzip;q=0", "gzip") == 0);
    CHECK(quality("gzip;q=0.000", "gzip") == 0);
    CHECK(quality("gzip;q=1.000", "gzip") == 1000);
    CHECK(quality("gzip;q=1.9", "gzip") == 1000);
    for (const char* malformed : {"gzip;q=", "gzip;q=2", "gzip;q=0.1234", "gzip;q=.5", "gzip;q=x", "gzip;level=1"})
        CHECK(quality(malformed, "gzip") == 0);
    CHECK(quality("*", "br") == 1000);
    CHECK(quality("*;q=0.1, br;q=0", "br") == 0);
    CHECK(quality("br;q=0, *;q=0.1", "gzip") == 100);
    CHECK(quality("*;q=0", "identity") == 0);
    CHECK(quality("gzipped, agzip", "gzip") == 0);
    CHECK(accepted_quality(request({{"Accept-Encoding", "br"}, {"Accept-Encoding", "gzip;q=0.5"}}), "gzip") == 500);
}

TEST_CASE("a client reads Content-Range, RFC 9110 section 14.4", "[http][conditional]") {
    const auto part = parse_content_range("bytes 42-1233/1234");
    REQUIRE(part);
    CHECK(part->first == 42);
    CHECK(part->bytes == 1192);
    CHECK(part->size == 1234u);
    const auto open_end = parse_content_range("Bytes 0-0/*");
    REQUIRE(open_end);
    CHECK(open_end->bytes == 1);
    CHECK_FALSE(open_end->size);
    const auto refused = parse_content_range("bytes */1234");
    REQUIRE(refused);
    CHECK(refused->bytes == 0);
    CHECK(refused->size == 1234u);
    for (const char* wrong :
         {"", "bytes", "bytes ", "bytes 1-2", "bytes 2-1/3", "bytes 0-3/3", "bytes */*", "bytes -1/3", "bytes 1-/3",
          "bytes 1-2/", "bytes 1-2/3x", "bytes=1-2/3", "items 1-2/3", "bytes 1 -2/3", "bytes 0-18446744073709551615/*",
          "bytes 0-1/18446744073709551616", "bytes +1-2/3"}) {
        INFO(wrong);
        CHECK_FALSE(parse_content_range(wrong));
    }
}

TEST_CASE("what a client may send as If-Range, RFC 9110 section 13.1.5", "[http][conditional]") {
    const auto chosen = [](const sent& fields) {
        response_head head;
        for (const auto& [name, value] : fields) head.fields.add(name, value);
        return std::string{strong_validator(head)};
    };
    CHECK(chosen({{"ETag", "\"v1\""}}) == "\"v1\"");
    CHECK(chosen({{"ETag", "\"v1\""}, {"Last-Modified", at}, {"Date", after}}) == "\"v1\"");
    CHECK(chosen({{"Last-Modified", at}, {"Date", after}}) == at);
    CHECK(chosen({{"Last-Modified", at}, {"Date", at}}).empty());  // it may change again within the second
    CHECK(chosen({{"Last-Modified", at}}).empty());
    CHECK(chosen({{"ETag", "W/\"v1\""}, {"Last-Modified", at}, {"Date", after}}).empty());
    CHECK(chosen({{"ETag", "v1"}}).empty());
    CHECK(chosen({{"ETag", "\"a\""}, {"ETag", "\"b\""}}).empty());
    CHECK(chosen({}).empty());
}
