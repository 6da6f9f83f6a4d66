// SPDX-License-Identifier: MIT
#include "lying_server.hpp"

#include "lying_answer.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>
#include <limits>
#include <span>

#include <sys/socket.h>

namespace lying {
namespace {

namespace net = ringlet::net;
using ringlet::as_bytes;
using ringlet::as_text;
using ringlet::task;
using namespace std::chrono_literals;

constexpr auto epoch = std::chrono::sys_seconds{std::chrono::sys_days{std::chrono::year{2025} / 1 / 1}};

std::string written(std::chrono::sys_seconds when) {
    const auto text = ringlet::http::format_date(when);
    return {text.data(), text.size()};
}

std::string random_bytes(std::size_t bytes, dice& roll) {
    std::string content(bytes, '\0');
    for (std::size_t at = 0; at < bytes; at += 4) {
        auto word = static_cast<std::uint32_t>(roll.below(std::uint64_t{1} << 32));
        for (std::size_t i = at; i < std::min(at + 4, bytes); ++i, word >>= 8)
            content[i] = static_cast<char>(word & 0xff);
    }
    return content;
}

// --- reading ---

std::string field_of(std::string_view head, std::string_view name) {
    std::string lower{head};
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string line = fmt::format("\r\n{}:", name);
    const std::size_t at = lower.find(line);
    if (at == std::string::npos) return {};
    std::string_view value = head.substr(at + line.size());
    value = value.substr(0, value.find('\r'));
    while (value.starts_with(' ')) value.remove_prefix(1);
    return std::string{value};
}

std::optional<request::range> read_range(std::string_view text) {
    constexpr std::string_view unit = "bytes=";
    if (!text.starts_with(unit)) return std::nullopt;
    text.remove_prefix(unit.size());
    request::range read{.first = 0, .last = std::numeric_limits<std::size_t>::max()};
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, read.first);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return std::nullopt;
    if (first.ptr + 1 == end) return read;
    const auto last = std::from_chars(first.ptr + 1, end, read.last);
    if (last.ec != std::errc{} || last.ptr != end || read.last < read.first) return std::nullopt;
    return read;
}

request read_request(std::string_view head) {
    const std::size_t begin = std::min(head.find(' '), head.size() - 1) + 1;
    std::string_view path = head.substr(begin, head.find(' ', begin) - begin);
    request asked{.path = std::string{path}};
    asked.wanted = read_range(field_of(head, "range"));
    asked.if_range = field_of(head, "if-range");
    return asked;
}

bool holds(const std::string& if_range, const document& file) {
    if (if_range.empty()) return true;
    if (if_range.starts_with("W/")) return false;
    return if_range == tag_of(file, file.now()) || (if_range == date_of(file.now()) && file.by != validators::tag &&
                                                    file.by != validators::weak_tag && file.by != validators::none);
}

// --- saying ---

task<> say_slowly(net::tcp_stream& to, std::string_view text, std::chrono::nanoseconds pause, dice& roll) {
    const std::size_t at_a_time = 1 + text.size() / (2 + roll.below(6));
    while (!text.empty()) {
        const std::string_view part = text.substr(0, at_a_time);
        co_await to.send_all(as_bytes(part));
        text.remove_prefix(part.size());
        co_await ringlet::sleep(roll.below(1000) * pause / 1000);
    }
}

task<> say_in_pieces(net::tcp_stream& to, std::string_view text, dice& roll) {
    while (!text.empty()) {
        const std::string_view part = roll.one_in(3) ? text : text.substr(0, 1 + roll.below(text.size()));
        co_await to.send_all(as_bytes(part));
        text.remove_prefix(part.size());
        if (roll.one_in(2)) co_await ringlet::sleep(roll.below(3) * 1ms);
    }
}

void reset(net::tcp_stream& stream) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ringlet::io::sys::setsockopt(stream.socket().get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    stream.close();
}

std::string in_chunks(std::string_view body) {
    std::string text;
    const std::size_t each = 1 + body.size() / 3;
    for (std::size_t at = 0; at < body.size(); at += each) {
        const std::string_view part = body.substr(at, each);
        text += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    }
    return text + "0\r\n\r\n";
}

}  // namespace

// --- the truth ---

void answer::set(std::string_view name, std::string value) {
    for (auto& field : fields) {
        if (field.first != name) continue;
        field.second = std::move(value);
        return;
    }
    add(std::string{name}, std::move(value));
}

void answer::remove(std::string_view name) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
}

std::string answer::to_string() const {
    if (instead) return *instead;
    std::string text = fmt::format("{}HTTP/1.1 {} Some Words\r\n", interim, status);
    for (const auto& [name, value] : fields) text += fmt::format("{}: {}\r\n", name, value);
    if (until_close) return text + "Connection: close\r\n\r\n" + body;
    if (in_chunks) return text + "Transfer-Encoding: chunked\r\n\r\n" + lying::in_chunks(body) + behind;
    const bool said = std::ranges::any_of(fields, [](const auto& field) { return field.first == "Content-Length"; });
    if (!said) text += fmt::format("Content-Length: {}\r\n", body.size());
    return text + "\r\n" + body + behind;
}

std::string tag_of(const document& file, const version& which) {
    switch (file.by) {
        case validators::tag:
        case validators::tag_and_date:
            return fmt::format("\"version-{}\"", which.number);
        case validators::weak_tag:
        case validators::weak_tag_and_date:
            return "W/\"always\"";
        default:
            return "";
    }
}

std::string date_of(const version& which) { return written(epoch + which.number * 1h); }

void identify(answer& is, const document& file, const version& which) {
    is.remove("ETag");
    is.remove("Last-Modified");
    if (const std::string tag = tag_of(file, which); !tag.empty()) is.set("ETag", tag);
    const bool dated =
        file.by == validators::date || file.by == validators::tag_and_date || file.by == validators::weak_tag_and_date;
    if (dated) is.set("Last-Modified", date_of(which));
}

std::string content_range(const request::range& part, std::size_t total) {
    return fmt::format("bytes {}-{}/{}", part.first, part.last, total);
}

void make_partial(answer& is, const document& file, const version& which, const request::range& part) {
    const request::range within{.first = part.first, .last = std::min(part.last, which.content.size() - 1)};
    is.status = 206;
    is.in_chunks = is.until_close = false;
    is.body = which.content.substr(within.first, within.last - within.first + 1);
    is.set("Content-Range", content_range(within, which.content.size()));
    identify(is, file, which);
}

answer plain(int status) {
    answer is{.status = status};
    is.body = "nothing that anybody wants\n";
    return is;
}

answer truth(const document& file, const request& asked) {
    const std::string& content = file.now().content;
    answer is;
    is.add("Date", written(epoch + std::chrono::days{300}));
    if (asked.wanted && !file.whole_only && holds(asked.if_range, file)) {
        if (asked.wanted->first < content.size()) {
            make_partial(is, file, file.now(), *asked.wanted);
        } else {
            is = plain(416);
            is.set("Content-Range", fmt::format("bytes */{}", content.size()));
        }
        return is;
    }
    identify(is, file, file.now());
    is.in_chunks = file.in_chunks;
    is.until_close = file.until_close;
    if (is.until_close) is.how = ending::closes;
    is.body = content;
    return is;
}

const version& document::another(dice& roll) {
    if (all.size() > 1 && roll.one_in(2)) return all[(current + 1 + roll.below(all.size() - 1)) % all.size()];
    std::size_t bytes = all.front().content.size();
    if (roll.one_in(3)) bytes = bytes - roll.below(bytes / 2 + 1) + roll.below(bytes / 2 + 2);
    all.push_back({.content = random_bytes(bytes, roll), .number = all.size()});
    return all.back();
}

// --- the server ---

struct origin::spoken {
    std::string text;
    ending how;
    bool stalls;
    bool trickles;
};

document& origin::add(std::size_t bytes) {
    document file{.by = static_cast<validators>(roll_.below(validator_kinds)),
                  .in_chunks = roll_.one_in(4),
                  .until_close = roll_.one_in(10) && (how_.beyond_detection || !how_.fails),
                  .whole_only = roll_.one_in(10)};
    // A tag is what there is most often.
    if (roll_.one_in(3)) file.by = validators::tag;
    file.all.push_back({.content = random_bytes(bytes, roll_)});
    files_.push_back(std::move(file));
    return files_.back();
}

void origin::repent() {
    how_.lies_percent = how_.changes_percent = 0;
    for (document& file : files_) file.current = 0;
}

void origin::count(std::string_view what) {
    ++told_[what];
    ++lies_;
}

origin::spoken origin::answer_to(const std::string& head) {
    ++answers_;
    request asked = read_request(head);
    constexpr std::string_view moved = "/moved";
    std::string_view name = asked.path;
    while (name.starts_with(moved)) name.remove_prefix(moved.size());
    std::size_t number = files_.size();
    if (name.starts_with("/f")) std::from_chars(name.data() + 2, name.data() + name.size(), number);
    if (number >= files_.size()) return {plain(404).to_string(), ending::stays, false, false};

    document& file = files_[number];
    if (roll_.below(100) < how_.changes_percent) {
        const version& next = file.another(roll_);
        file.current = next.number;
        count("the file changes");
    }
    answer is = truth(file, asked);
    if (roll_.below(100) < how_.lies_percent) {
        // Not every lie can be told of every answer.
        for (int tried = 0; tried < 20; ++tried) {
            const lie& which = lies()[roll_.below(lies().size())];
            answer changed = is;
            telling t{file, asked, changed, roll_, how_.beyond_detection};
            if (!which.tell(t)) continue;
            is = std::move(changed);
            count(which.name);
            break;
        }
    }
    std::string text = is.to_string();
    if (is.is_cut && !text.empty()) text.resize(roll_.below(text.size()));
    return {std::move(text), is.how, is.stalls, is.trickles};
}

task<> origin::converse(net::tcp_stream stream) {
    std::array<std::byte, 2048> block;
    std::string unread;
    for (;;) {
        std::size_t end = unread.find("\r\n\r\n");
        while (end == std::string::npos) {
            const std::size_t n = co_await ringlet::with_timeout(300s, stream.recv(block));
            if (n == 0 || unread.size() > 100'000) co_return;
            unread += as_text(std::span{block}.first(n));
            end = unread.find("\r\n\r\n");
        }
        const std::string head = unread.substr(0, end + 4);
        unread.erase(0, end + 4);
        const spoken answer = answer_to(head);
        std::string_view text = answer.text;
        if (answer.stalls) {
            const std::string_view before = text.substr(0, roll_.below(text.size() + 1));
            co_await stream.send_all(as_bytes(before));
            co_await ringlet::sleep(how_.silence);
            text.remove_prefix(before.size());
        }
        if (answer.trickles)
            co_await say_slowly(stream, text, how_.pause, roll_);
        else
            co_await say_in_pieces(stream, text, roll_);
        if (answer.how == ending::resets) {
            co_await ringlet::sleep(roll_.below(2) * 5ms);  // also when all has been read
            reset(stream);
        }
        if (answer.how != ending::stays) co_return;
    }
}

task<> origin::begin(net::tcp_stream stream, origin& self) { return self.converse(std::move(stream)); }

task<> origin::serve(net::tcp_listener& listener) {
    net::serve_options quietly;
    quietly.on_failure = [](const net::endpoint&, const std::exception_ptr&) {};
    return net::serve(listener, quietly, begin, std::ref(*this));
}

std::vector<std::string_view> all_lies() {
    std::vector<std::string_view> names{"the file changes"};
    for (const lie& each : lies()) names.push_back(each.name);
    return names;
}

}  // namespace lying
