// SPDX-License-Identifier: MIT
#include "lying_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace lying {
namespace {

bool is_partial(const telling& t) noexcept { return t.is.status == 206; }
bool is_whole(const telling& t) noexcept { return t.is.status == 200; }
bool has_body(const telling& t) noexcept { return (is_partial(t) || is_whole(t)) && !t.is.body.empty(); }
std::size_t total(const telling& t) noexcept { return t.file.now().content.size(); }

// What an honest 206 gives.
request::range granted(const telling& t) {
    return {.first = t.asked.wanted->first, .last = std::min(t.asked.wanted->last, total(t) - 1)};
}

// As much from another place; false when there is none.
bool elsewhere(telling& t, request::range& where) {
    const request::range right = granted(t);
    where.first = t.roll.below(total(t));
    where.last = std::min(where.first + (right.last - right.first), total(t) - 1);
    return where.first != right.first;
}

template <std::size_t N>
std::string one_of(dice& roll, const std::array<std::string_view, N>& texts) {
    return std::string{texts[roll.below(N)]};
}

std::string invented_tag(dice& roll) { return fmt::format("\"other-{}\"", roll.below(1'000'000'000)); }

// --- how it is sent ---

bool says_nothing(telling& t) {
    t.is.instead = "";
    t.is.how = t.roll.one_in(2) ? ending::closes : ending::resets;
    return true;
}
bool is_cut(telling& t) {
    t.is.is_cut = true;
    t.is.how = ending::closes;
    return t.beyond_detection || !t.is.until_close;
}
bool is_reset(telling& t) {
    t.is.is_cut = true;
    t.is.how = ending::resets;
    return true;
}
bool stalls(telling& t) { return t.is.stalls = true; }
bool trickles(telling& t) { return t.is.trickles = true; }
bool is_no_http(telling& t) {
    static constexpr std::array<std::string_view, 6> texts{"\x16\x03\x01\x02\x01 something else\r\n\r\n",
                                                           "SSH-2.0-OpenSSH_9.9\r\n",
                                                           "HTTP/1.1 OK\r\n\r\nhello",
                                                           "HTTP/3.0 200 OK\r\n\r\nhello",
                                                           "HTTP/1.1 200 OK\nno colon here\n\n",
                                                           "\r\n\r\n\r\n"};
    t.is.instead = t.roll.one_in(8) ? t.is.body + "\r\n" : one_of(t.roll, texts);
    t.is.how = ending::closes;
    return true;
}
bool more_follows(telling& t) {
    t.is.behind = "and this was never asked for";
    return !t.is.until_close;
}

// --- heads ---

bool is_announced(telling& t) {
    static constexpr std::array<std::string_view, 3> heads{"HTTP/1.1 100 Continue\r\n\r\n",
                                                           "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
                                                           "HTTP/1.1 102 Processing\r\n\r\n"};
    for (auto left = 1 + t.roll.below(t.roll.one_in(4) ? 100 : 3); left > 0; --left)
        t.is.interim += one_of(t.roll, heads);
    return true;
}
bool has_a_long_head(telling& t) {
    t.is.add("X-Long", std::string(20'000 + t.roll.below(400'000), 'x'));
    return true;
}
bool fails(telling& t) {
    static constexpr std::array statuses{404, 404, 404, 410, 403, 401, 400, 500,
                                         502, 504, 408, 204, 205, 304, 101, 600};
    t.is = plain(statuses[t.roll.below(statuses.size())]);
    if (t.is.status == 204 || t.is.status == 304 || t.is.status == 101) t.is.body.clear();
    return true;
}
bool wants_patience(telling& t) {
    static constexpr std::array<std::string_view, 10> waits{
        "0",  "1", "120", "1000000", "-1", "99999999999999999999999", "soon", "", "Thu, 01 Jan 2026 00:00:20 GMT",
        "1.5"};
    t.is = plain(t.roll.one_in(2) ? 503 : 429);
    if (!t.roll.one_in(5)) t.is.set("Retry-After", one_of(t.roll, waits));
    return true;
}
bool redirects(telling& t) {
    static constexpr std::array statuses{301, 302, 303, 307, 308};
    const std::string path = t.asked.path;
    t.is = plain(statuses[t.roll.below(statuses.size())]);
    t.is.set("Location", "/moved" + path);
    return path.size() < 30;
}
bool redirects_in_circles(telling& t) {
    const std::string path = t.asked.path;
    t.is = plain(302);
    t.is.set("Location", path);
    return true;
}
bool redirects_to_nothing(telling& t) {
    static constexpr std::array<std::string_view, 8> places{
        "",    "http://",  "ftp://127.0.0.1/f0", "file:///etc/passwd", "http://127.0.0.1:9/f0",
        "//[", "/nothing", "\x01 \x7f"};
    t.is = plain(302);
    if (!t.roll.one_in(4)) t.is.set("Location", one_of(t.roll, places));
    return true;
}

// --- lengths ---

bool promises_more(telling& t) {
    if (t.is.in_chunks || t.is.until_close) return false;
    t.is.set("Content-Length", fmt::format("{}", t.is.body.size() + 1 + t.roll.below(1000)));
    t.is.how = t.roll.one_in(2) ? ending::closes : ending::stays;
    return true;
}
bool promises_less(telling& t) {
    if (!has_body(t) || t.is.in_chunks || t.is.until_close) return false;
    t.is.set("Content-Length", fmt::format("{}", t.roll.below(t.is.body.size())));
    return is_partial(t) || t.beyond_detection;
}
bool has_no_length(telling& t) {
    static constexpr std::array<std::string_view, 7> lengths{"-5",  "0x10", "99999999999999999999999", "1 2", "ten",
                                                             "1.5", ""};
    if (t.is.in_chunks || t.is.until_close) return false;
    t.is.set("Content-Length", one_of(t.roll, lengths));
    t.is.how = ending::closes;
    return true;
}
bool has_two_lengths(telling& t) {
    t.is.add("Content-Length", fmt::format("{}", t.is.body.size()));
    t.is.add("Content-Length", fmt::format("{}", t.is.body.size() + 1));
    return !t.is.until_close && !t.is.in_chunks;
}
bool has_length_and_chunks(telling& t) {
    t.is.set("Content-Length", fmt::format("{}", t.is.body.size() / 2));
    t.is.in_chunks = true;
    t.is.until_close = false;
    return is_whole(t) || is_partial(t);
}

// --- chunks ---

bool comes_in_chunks(telling& t) {
    t.is.in_chunks = true;
    t.is.until_close = false;
    return is_whole(t) || is_partial(t);
}
bool has_wrong_chunks(telling& t) {
    if (!has_body(t)) return false;
    const std::size_t bytes = t.is.body.size();
    const std::array<std::string, 5> sizes{fmt::format("{:x}", bytes + 1 + t.roll.below(100)),
                                           fmt::format("{:x}", t.roll.below(bytes)), "xyz", "ffffffffffffffffffffffff",
                                           "-1"};
    std::string body = std::move(t.is.body);
    t.is.body.clear();
    t.is.set("Transfer-Encoding", "chunked");
    t.is.until_close = true;  // only the head
    t.is.in_chunks = false;
    const std::string& size = sizes[t.roll.below(sizes.size())];
    if (size == "0" && !t.beyond_detection) return false;  // a whole body of nothing
    t.is.body = fmt::format("{}\r\n{}\r\n0\r\n\r\n", size, body);
    t.is.how = ending::closes;
    return true;
}
bool never_ends_its_chunks(telling& t) {
    if (!has_body(t)) return false;
    t.is.set("Transfer-Encoding", "chunked");
    t.is.body = fmt::format("{:x}\r\n{}\r\n", t.is.body.size(), t.is.body);
    if (t.roll.one_in(2)) t.is.body += t.roll.one_in(2) ? "0\r\n" : "0";
    t.is.until_close = true;
    t.is.in_chunks = false;
    t.is.how = ending::closes;
    return true;
}
bool ends_its_chunks_early(telling& t) {
    if (!has_body(t)) return false;
    t.is.body.resize(t.roll.below(t.is.body.size()));
    t.is.in_chunks = true;
    t.is.until_close = false;
    return is_partial(t) || t.beyond_detection;
}

// --- ranges ---

bool is_from_elsewhere(telling& t) {
    request::range part{};
    if (!is_partial(t) || !elsewhere(t, part)) return false;
    make_partial(t.is, t.file, t.file.now(), part);
    return true;
}
bool has_another_total(telling& t) {
    if (!is_partial(t)) return false;
    const request::range part = granted(t);
    std::size_t other = part.last + 2 + t.roll.below(100 + total(t));
    if (t.roll.one_in(4)) other = t.roll.below(part.last + 1);  // the range would be beyond it
    if (t.beyond_detection && t.roll.one_in(3)) other = part.last + 1;
    t.is.set("Content-Range", content_range(part, other));
    return other != total(t);
}
bool has_no_range(telling& t) {
    request::range part{};
    if (!is_partial(t) || !elsewhere(t, part)) return false;
    make_partial(t.is, t.file, t.file.now(), part);
    t.is.remove("Content-Range");
    if (t.roll.one_in(2)) t.is.set("Content-Type", "multipart/byteranges; boundary=x");
    return true;
}
bool has_a_malformed_range(telling& t) {
    request::range part{};
    if (!is_partial(t) || !elsewhere(t, part)) return false;
    const request::range right = granted(t);
    make_partial(t.is, t.file, t.file.now(), part);
    const std::array<std::string, 10> texts{"",
                                            "bytes",
                                            "bytes a-b/c",
                                            fmt::format("bytes {}-/{}", right.first, total(t)),
                                            fmt::format("bytes {}-{}/{}", right.last + 1, right.first, total(t)),
                                            fmt::format("items {}-{}/{}", right.first, right.last, total(t)),
                                            fmt::format("bytes {}-99999999999999999999999/{}", right.first, total(t)),
                                            fmt::format("bytes */{}", total(t)),
                                            fmt::format("bytes {}-{}", right.first, right.last),
                                            fmt::format("bytes -{}-{}/{}", right.first, right.last, total(t))};
    t.is.set("Content-Range", texts[t.roll.below(texts.size())]);
    return true;
}
bool has_two_ranges(telling& t) {
    request::range part{};
    if (!is_partial(t) || !elsewhere(t, part)) return false;
    const std::string right = content_range(granted(t), total(t));
    make_partial(t.is, t.file, t.file.now(), part);
    if (t.roll.one_in(2))
        std::swap(*std::ranges::find(t.is.fields, "Content-Range", &std::pair<std::string, std::string>::first),
                  t.is.fields.front());
    t.is.add("Content-Range", right);
    return true;
}
bool is_longer_than_asked(telling& t) {
    if (!is_partial(t)) return false;
    request::range part = granted(t);
    if (part.last + 1 == total(t)) return false;
    part.last += 1 + t.roll.below(total(t) - 1 - part.last);
    make_partial(t.is, t.file, t.file.now(), part);
    return true;
}
bool is_shorter_than_asked(telling& t) {
    if (!is_partial(t)) return false;
    request::range part = granted(t);
    if (part.last == part.first) return false;
    part.last = part.first + t.roll.below(part.last - part.first);
    make_partial(t.is, t.file, t.file.now(), part);
    return true;
}
bool is_longer_than_its_range(telling& t) {
    t.is.body += "and more than that";
    return is_partial(t);
}
bool is_shorter_than_its_range(telling& t) {
    if (!is_partial(t)) return false;
    t.is.body.resize(t.roll.below(t.is.body.size()));
    return true;
}
bool does_not_say_the_total(telling& t) {
    if (!is_partial(t)) return false;
    const request::range part = granted(t);
    t.is.set("Content-Range", fmt::format("bytes {}-{}/*", part.first, part.last));
    return true;
}
bool is_a_part_unasked(telling& t) {
    if (t.asked.wanted || total(t) == 0) return false;
    const std::size_t first = t.roll.one_in(2) ? 0 : t.roll.below(total(t));
    request::range part{};
    part.first = first;
    part.last = first + t.roll.below(total(t) - first);
    make_partial(t.is, t.file, t.file.now(), part);
    return true;
}
bool is_whole_unasked(telling& t) {
    if (!t.asked.wanted || is_whole(t)) return false;
    request all = t.asked;
    all.wanted.reset();
    t.is = truth(t.file, all);
    return true;
}
bool says_416(telling& t) {
    t.is = plain(416);
    t.is.set("Content-Range", fmt::format("bytes */{}", total(t)));
    return t.asked.wanted.has_value() || t.roll.one_in(4);
}
bool says_416_of_another_total(telling& t) {
    if (!t.asked.wanted) return false;
    const std::size_t other = t.roll.below(2 * total(t) + 10);
    t.is = plain(416);
    t.is.set("Content-Range", fmt::format("bytes */{}", other));
    return other != total(t) && other != t.asked.wanted->first;
}
bool says_416_of_what_is_there(telling& t) {
    if (!t.asked.wanted || !t.beyond_detection) return false;
    t.is = plain(416);
    t.is.set("Content-Range", fmt::format("bytes */{}", t.asked.wanted->first));
    return true;
}
bool says_416_of_no_total(telling& t) {
    static constexpr std::array<std::string_view, 5> texts{"bytes */*", "bytes", "bytes */x", "*/5", ""};
    if (!t.asked.wanted) return false;
    t.is = plain(416);
    if (t.roll.one_in(2)) t.is.set("Content-Range", one_of(t.roll, texts));
    return true;
}

// --- validators ---

bool is_another_tag(telling& t) {
    t.is.set("ETag", invented_tag(t.roll));
    return is_whole(t) || is_partial(t);
}
bool is_an_odd_tag(telling& t) {
    static constexpr std::array<std::string_view, 6> tags{"", "\"", "abc", "W/", "\"a\", \"b\"", "\"a\x7f\x80\""};
    t.is.set("ETag", one_of(t.roll, tags));
    return is_whole(t) || is_partial(t);
}
bool has_no_validator(telling& t) {
    t.is.remove("ETag");
    t.is.remove("Last-Modified");
    return is_whole(t) || is_partial(t);
}
// A part of another version, which does not hide it; false when that one is too short.
bool of_another_version(telling& t) {
    if (!is_partial(t)) return false;
    const version& other = t.file.another(t.roll);
    if (other.content.size() <= t.asked.wanted->first) return false;
    make_partial(t.is, t.file, other, *t.asked.wanted);
    return true;
}
bool is_a_part_of_another_version(telling& t) { return of_another_version(t); }
bool is_a_part_of_who_knows(telling& t) {
    if (!of_another_version(t)) return false;
    t.is.remove("ETag");
    t.is.remove("Last-Modified");
    return true;
}
bool is_a_part_of_much_the_same(telling& t) {
    if (t.file.by != validators::tag || !of_another_version(t)) return false;
    t.is.set("ETag", "W/" + tag_of(t.file, t.file.now()));
    return true;
}

// --- beyond detection ---

bool has_wrong_bytes(telling& t) {
    if (!t.beyond_detection || !has_body(t)) return false;
    t.is.body[t.roll.below(t.is.body.size())] ^= 1;
    return true;
}
bool has_bytes_of_elsewhere(telling& t) {
    request::range part{};
    if (!t.beyond_detection || !is_partial(t) || !elsewhere(t, part)) return false;
    t.is.body = t.file.now().content.substr(part.first, t.is.body.size());
    return true;
}
bool changes_unseen(telling& t) {
    if (!t.beyond_detection || !has_body(t)) return false;
    const std::string other = t.file.another(t.roll).content;
    const std::size_t first = t.asked.wanted && is_partial(t) ? t.asked.wanted->first : 0;
    if (other.size() < first + t.is.body.size()) return false;
    // From the beginning, or while it is sent.
    const std::size_t from = t.roll.one_in(2) ? 0 : t.roll.below(t.is.body.size());
    t.is.body.replace(from, std::string::npos, other, first + from, t.is.body.size() - from);
    return true;
}

constexpr std::array all{
    lie{"says nothing", says_nothing},
    lie{"is cut", is_cut},
    lie{"is reset", is_reset},
    lie{"stalls", stalls},
    lie{"trickles", trickles},
    lie{"is no HTTP", is_no_http},
    lie{"more follows", more_follows},
    lie{"is announced", is_announced},
    lie{"has a long head", has_a_long_head},
    lie{"fails", fails},
    lie{"wants patience", wants_patience},
    lie{"redirects", redirects},
    lie{"redirects in circles", redirects_in_circles},
    lie{"redirects to nothing", redirects_to_nothing},
    lie{"promises more", promises_more},
    lie{"promises less", promises_less},
    lie{"has no length", has_no_length},
    lie{"has two lengths", has_two_lengths},
    lie{"has length and chunks", has_length_and_chunks},
    lie{"comes in chunks", comes_in_chunks},
    lie{"has wrong chunks", has_wrong_chunks},
    lie{"never ends its chunks", never_ends_its_chunks},
    lie{"ends its chunks early", ends_its_chunks_early},
    lie{"is from elsewhere", is_from_elsewhere},
    lie{"has another total", has_another_total},
    lie{"has no range", has_no_range},
    lie{"has a malformed range", has_a_malformed_range},
    lie{"has two ranges", has_two_ranges},
    lie{"is longer than asked", is_longer_than_asked},
    lie{"is shorter than asked", is_shorter_than_asked},
    lie{"is longer than its range", is_longer_than_its_range},
    lie{"is shorter than its range", is_shorter_than_its_range},
    lie{"does not say the total", does_not_say_the_total},
    lie{"is a part unasked", is_a_part_unasked},
    lie{"is whole unasked", is_whole_unasked},
    lie{"says 416", says_416},
    lie{"says 416 of another total", says_416_of_another_total},
    lie{"says 416 of what is there", says_416_of_what_is_there},
    lie{"says 416 of no total", says_416_of_no_total},
    lie{"is another tag", is_another_tag},
    lie{"is an odd tag", is_an_odd_tag},
    lie{"has no validator", has_no_validator},
    lie{"is a part of another version", is_a_part_of_another_version},
    lie{"is a part of who knows", is_a_part_of_who_knows},
    lie{"is a part of much the same", is_a_part_of_much_the_same},
    lie{"has wrong bytes", has_wrong_bytes},
    lie{"has bytes of elsewhere", has_bytes_of_elsewhere},
    lie{"changes unseen", changes_unseen},
};

}  // namespace

std::span<const lie> lies() { return all; }

}  // namespace lying
