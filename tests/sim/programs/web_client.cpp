// SPDX-License-Identifier: MIT
#include "web_client.hpp"

#include "dice.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>

#include <sys/socket.h>

namespace web {
namespace {

namespace net = ringlet::net;
namespace testing = ringlet::testing;
using ringlet::as_bytes;
using ringlet::as_text;
using ringlet::task;
using namespace std::chrono_literals;

// --- what there is to ask for ---

struct served_file {
    std::string_view path;
    std::size_t bytes;
    std::string content = {};
};

std::string made_up(std::size_t bytes) {
    std::string content(bytes, '\0');
    auto word = static_cast<std::uint32_t>(bytes);
    for (char& c : content) {
        word = word * 1664525 + 1013904223;
        c = static_cast<char>(word >> 24);
    }
    return content;
}

// Nothing; what is copied behind its head; what is sent beside it; what goes from the file.
const std::array<served_file, 6>& files() {
    static const auto all = [] {
        std::array<served_file, 6> made{{{"/empty", 0},
                                         {"/small.txt", 1500},
                                         {"/page.bin", 9000},
                                         {"/middle.bin", 50'000},
                                         {"/large.bin", 90'000},
                                         {"/huge.bin", std::size_t{300} * 1024}}};
        for (served_file& file : made) file.content = made_up(file.bytes);
        return made;
    }();
    return all;
}
const served_file& huge() { return files().back(); }

const std::string& compressed() {
    static const std::string content = made_up(400);
    return content;
}

std::string head_of(std::string_view method, std::string_view target, std::string_view fields = {}) {
    return fmt::format("{} {} HTTP/1.1\r\nHost: a\r\n{}\r\n", method, target, fields);
}

exchange part_of(const served_file& file, dice& roll) {
    const std::string_view content = file.content;
    if (roll.one_in(4)) {
        return {.request = head_of("GET", file.path, "Range: bytes=400000-\r\n"),
                .status = 416,
                .any_body = true,
                .field = fmt::format("\r\nContent-Range: bytes */{}\r\n", content.size())};
    }
    if (content.empty()) return {.request = head_of("GET", file.path)};
    const std::size_t first = roll.below(content.size());
    const std::size_t bytes = 1 + roll.below(content.size() - first);
    const bool to_the_end = roll.one_in(2);
    const std::size_t got = to_the_end ? content.size() - first : bytes;
    const std::string range = to_the_end ? fmt::format("-{}", got) : fmt::format("{}-{}", first, first + bytes - 1);
    return {.request = head_of("GET", file.path, fmt::format("Range: bytes={}\r\n", range)),
            .status = 206,
            .body = content.substr(first, got),
            .field = fmt::format("\r\nContent-Range: bytes {}-{}/{}\r\n", first, first + got - 1, content.size())};
}

exchange on_condition(const served_file& file, dice& roll) {
    switch (roll.below(4)) {
        case 0:
            return {.request = head_of("GET", file.path, "If-None-Match: *\r\n"), .status = 304, .bodyless = true};
        case 1:
            return {.request = head_of("GET", file.path, "If-Match: \"another\"\r\n"), .status = 412, .any_body = true};
        case 2:
            return {.request = head_of("GET", file.path, "If-None-Match: \"another\"\r\n"), .body = file.content};
        default:
            return {.request = head_of("GET", file.path, "If-Range: \"another\"\r\nRange: bytes=0-0\r\n"),
                    .body = file.content};
    }
}

exchange no_file(dice& roll) {
    switch (roll.below(7)) {
        case 0:
            return {.request = head_of("GET", "/nothing"), .status = 404, .any_body = true};
        case 1:
            return {.request = head_of("GET", "/folder"),
                    .status = 301,
                    .any_body = true,
                    .field = "\r\nLocation: /folder/\r\n"};
        case 2:
            return {.request = head_of("GET", "/folder/"), .any_body = true};  // the listing
        case 3:
            return {.request = head_of("OPTIONS", "/small.txt"), .status = 204, .bodyless = true};
        case 4:
            return {.request = head_of("DELETE", "/small.txt"), .status = 405, .any_body = true};
        case 5:
            return {.request = head_of("POST", "/small.txt", "Content-Length: 5\r\n") + "hello",
                    .status = 405,
                    .any_body = true};
        default:
            return {.request = head_of("GET", "/small.txt", "Accept-Encoding: gzip\r\n"),
                    .body = compressed(),
                    .plain = files()[1].content};
    }
}

exchange any_exchange(dice& roll) {
    const served_file& file = files()[roll.below(files().size())];
    switch (roll.below(8)) {
        case 0:
            return {.request = head_of("HEAD", file.path), .body = file.content, .bodyless = true};
        case 1:
            return part_of(file, roll);
        case 2:
            return on_condition(file, roll);
        case 3:
        case 4:
            return no_file(roll);
        default:
            return {.request = head_of("GET", file.path), .body = file.content};
    }
}

exchange nonsense(dice& roll) {
    const auto refused = [](std::string text, int status) {
        return exchange{.request = std::move(text), .status = status, .any_body = true};
    };
    switch (roll.below(7)) {
        case 0:
            return refused("\x16\x03\x01\x02\x01 something that is no request\r\n\r\n", 400);
        case 1:
            return refused("GET / HTTP/1.1\r\n\r\n", 400);
        case 2:
            return refused("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505);
        case 3:
            return refused(head_of("GET", "/" + std::string(10'000, 'a')), 414);
        case 4: {
            std::string fields;
            for (int i = 0; i < 200; ++i) fields += fmt::format("X-{}: a\r\n", i);
            return refused(head_of("GET", "/", fields), 431);
        }
        case 5:
            return refused(head_of("POST", "/", "Transfer-Encoding: magic, chunked\r\n"), 501);
        default:
            return refused(head_of("GET", "/", "Content-Length: 1\r\nContent-Length: 2\r\n"), 400);
    }
}

// --- those who ask ---

// What comes at all comes within this.
constexpr auto patience = 90s;

struct visitor {
    visitor(street& where, std::uint64_t seed) : around{where}, roll{seed} {}

    street& around;
    dice roll;
    habit is = static_cast<habit>(roll.below(habits));
    std::vector<exchange> wanted = {};
    std::optional<answers> got = {};
    std::string failure = {};  // what it saw of an error

    bool is_good() const noexcept { return is < habit::resets; }
    std::string all_requests() const {
        std::string text;
        for (const exchange& each : wanted) text += each.request;
        return text;
    }
};

void plan(visitor& v) {
    const std::size_t most = v.is == habit::pipelines ? 12 : 4;
    for (std::size_t left = 1 + v.roll.below(most); left > 0; --left) v.wanted.push_back(any_exchange(v.roll));
    if (v.is == habit::stalls) v.wanted = {{.request = head_of("GET", huge().path), .body = huge().content}};
    if (v.is == habit::is_silent) v.wanted.clear();
    if (v.is == habit::stops_in_head)
        v.wanted = {{.request = "GET /small.txt HTTP/1.1\r\nHo", .status = 408, .any_body = true}};
    if (v.is == habit::talks_nonsense) {
        v.wanted.resize(v.roll.below(2));
        v.wanted.push_back(nonsense(v.roll));
    }
    v.got.emplace(v.wanted, v.around.faultless);
}

// Until so many answers are whole, or no more comes.
task<> hear(net::tcp_stream& from, visitor& v, std::size_t answers_wanted) {
    std::array<std::byte, 8192> block;
    while (v.got->whole() < answers_wanted) {
        const std::size_t n = co_await ringlet::with_timeout(patience, from.recv(block));
        if (n == 0) co_return;
        v.got->take(as_text(std::span{block}.first(n)));
        if (v.is == habit::reads_slowly) co_await ringlet::sleep(300ms);
    }
}

task<> hear_the_end(net::tcp_stream& from, visitor& v) { return hear(from, v, SIZE_MAX); }

task<> ask_one_by_one(net::tcp_stream& to, visitor& v) {
    for (std::size_t i = 0; i < v.wanted.size() && !v.got->closes(); ++i) {
        co_await to.send_all(as_bytes(v.wanted[i].request));
        co_await hear(to, v, i + 1);
        if (v.got->whole() <= i) co_return;
        co_await ringlet::sleep(v.roll.below(4) * 5ms);
    }
    if (v.got->closes()) co_await hear_the_end(to, v);
}

task<> ask_all_at_once(net::tcp_stream& to, visitor& v) {
    const std::string text = v.all_requests();
    co_await to.send_all(as_bytes(text));
    co_await hear(to, v, v.wanted.size());
}

task<> ask_and_half_close(net::tcp_stream& to, visitor& v) {
    const std::string text = v.all_requests();
    co_await to.send_all(as_bytes(text));
    co_await to.shutdown_send();
    co_await hear_the_end(to, v);
}

task<> dribble(net::tcp_stream& to, visitor& v) {
    const std::string text = v.all_requests();
    for (const char& c : text) {
        co_await to.send_all(as_bytes(std::string_view{&c, 1}));
        if (v.roll.one_in(8)) co_await ringlet::sleep(v.roll.below(20) * 1ms);
    }
    co_await hear(to, v, v.wanted.size());
}

task<> ask_and_reset(net::tcp_stream& to, visitor& v) {
    std::string text = v.all_requests();
    if (v.roll.one_in(2)) text.resize(v.roll.below(text.size()));
    co_await to.send_all(as_bytes(text));
    std::array<std::byte, 8192> block;
    for (std::uint64_t reads = v.roll.below(8); reads > 0; --reads) {
        const auto n = co_await ringlet::as_result(ringlet::with_timeout(1ms, to.recv(block)));
        if (!n || *n == 0) break;
        v.got->take(as_text(std::span{block}.first(*n)));
    }
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ringlet::io::sys::setsockopt(to.socket().get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    to.close();
}

// Much later it reads what is there, and must not find all of it.
task<> ask_and_stall(net::tcp_stream& to, visitor& v) {
    co_await to.send_all(as_bytes(v.wanted.front().request));
    co_await ringlet::sleep(100s);
    co_await hear_the_end(to, v);
}

task<> say_half_and_wait(net::tcp_stream& to, visitor& v) {
    if (!v.wanted.empty()) co_await to.send_all(as_bytes(v.wanted.front().request));
    const auto before = v.around.world.now();
    co_await hear_the_end(to, v);
    const auto took = v.around.world.now() - before;
    const std::chrono::nanoseconds limit = v.is == habit::is_silent ? 30s : 10s;
    if (!v.around.faultless) co_return;
    if (took > limit + 3s || (took < limit - 10ms && !v.around.drained))
        throw std::logic_error{fmt::format("it was sent away after {} ms", took / 1ms)};
}

task<> act(net::tcp_stream& stream, visitor& v) {
    switch (v.is) {
        case habit::keeps_alive:
            return ask_one_by_one(stream, v);
        case habit::pipelines:
        case habit::reads_slowly:
            return ask_all_at_once(stream, v);
        case habit::half_closes:
        case habit::talks_nonsense:
            return ask_and_half_close(stream, v);
        case habit::dribbles:
            return dribble(stream, v);
        case habit::resets:
            return ask_and_reset(stream, v);
        case habit::stalls:
            return ask_and_stall(stream, v);
        case habit::is_silent:
        case habit::stops_in_head:
            break;
    }
    return say_half_and_wait(stream, v);
}

task<> come_and_go(visitor& v) {
    net::tcp_stream stream = co_await net::tcp_stream::connect(net::endpoint::loopback_v4(8080));
    co_await act(stream, v);
}

bool went_as_planned(const visitor& v) {
    if (v.is == habit::resets) return true;
    if (v.is == habit::stalls) return v.got->whole() == 0;
    return v.failure.empty() && v.got->all();
}

// What holds also when the client was cut off.
void look_back(const visitor& v, bool drained) {
    const auto never = [&](const char* what) {
        throw std::logic_error{fmt::format("a client that {}: {}, {} of {} answers, {}", name_of(v.is), what,
                                           v.got->whole(), v.wanted.size(), v.failure)};
    };
    if (v.is == habit::stalls && v.got->whole() > 0) never("was waited for");
    if (!v.around.faultless) return;
    if (!drained && !went_as_planned(v)) never("was not served");
    if (v.is != habit::stalls && v.is != habit::resets && !v.got->between()) never("got half an answer");
}

}  // namespace

std::string_view name_of(habit which) noexcept {
    constexpr std::array<std::string_view, habits> names{"keeps alive",   "pipelines",     "half-closes", "dribbles",
                                                         "reads slowly",  "resets",        "stalls",      "is silent",
                                                         "stops in head", "talks nonsense"};
    return names[static_cast<std::size_t>(which)];
}

void furnish(testing::simulation& world) {
    for (const served_file& file : files()) world.write_file("/site" + std::string{file.path}, file.content);
    world.write_file("/site/small.txt.gz", compressed());
    world.write_file("/site/folder/a", "content of a");
    world.write_file("/site/folder/b", "content of b");
}

task<> visit(street& where, std::uint64_t seed) {
    visitor v{where, seed};
    plan(v);
    co_await ringlet::sleep(10ms + v.roll.below(50) * 1ms);  // the server listens
    try {
        co_await come_and_go(v);
    } catch (const std::logic_error&) {
        throw;
    } catch (const std::exception& error) {
        v.failure = error.what();
    }
    look_back(v, where.drained);
    ++where.visits;
    where.whole_answers += v.got->whole();
    if (went_as_planned(v)) ++where.as_planned;
}

}  // namespace web
