// SPDX-License-Identifier: MIT
#include "fetch/events.hpp"

#include "common/json.hpp"

#include <fmt/format.h>

#include <optional>

namespace fetch {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;  // a printer holds more, and drops what exceeds it

double seconds_of(std::chrono::nanoseconds length) noexcept { return std::chrono::duration<double>(length).count(); }

// The stable word of a reason; one may stand for several.
std::string_view word_of(reason why) noexcept {
    switch (why) {
        case reason::dns:
            return "dns";
        case reason::connect:
            return "connect";
        case reason::timeout:
            return "timeout";
        case reason::truncated:
            return "truncated";
        case reason::tls:
        case reason::certificate:
            return "tls";
        case reason::status:
            return "status";
        case reason::login:
            return "login";
        case reason::protocol:
        case reason::redirects:
            return "protocol";
        case reason::file:
        case reason::reader_gone:
            return "file";
        case reason::size:
            return "size";
        case reason::checksum:
            return "checksum";
        case reason::other:
        case reason::shortage:
            break;
    }
    return "other";
}

// What curl's exit status is for the same.
std::optional<unsigned> curl_code_of(reason why) noexcept {
    switch (why) {
        case reason::dns:
            return 6;
        case reason::connect:
            return 7;
        case reason::protocol:
            return 8;
        case reason::truncated:
            return 18;
        case reason::status:
        case reason::login:
            return 22;
        case reason::file:
        case reason::reader_gone:
            return 23;
        case reason::shortage:
            return 27;
        case reason::timeout:
            return 28;
        case reason::tls:
            return 35;
        case reason::redirects:
            return 47;
        case reason::certificate:
            return 60;
        case reason::size:
            return 63;
        case reason::checksum:
        case reason::other:
            break;
    }
    return std::nullopt;
}

// {"event":"NAME" and, by and by, its fields.
class object {
public:
    explicit object(std::string_view event) { add("event", event); }

    object& add(std::string_view name, std::string_view value) { return raw(name, apps::json_string(value)); }
    object& add(std::string_view name, std::uint64_t value) { return raw(name, fmt::to_string(value)); }
    object& add(std::string_view name, std::chrono::nanoseconds value) {
        return raw(name, fmt::format("{:.3f}", seconds_of(value)));
    }
    object& add(std::string_view name, apps::exit_code value) { return raw(name, fmt::to_string(to_int(value))); }
    object& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }

    object& item(const transfer& what) {
        add("url", std::string_view{what.what->url});
        return what.name.empty() ? *this : add("file", std::string_view{what.name});
    }
    object& numbers(const transfer& what) {
        add("bytes", what.done_bytes);
        if (what.total_bytes) add("total", *what.total_bytes);
        add("resumed", what.done_bytes - what.fresh_bytes());
        return add("seconds", std::chrono::nanoseconds{ringlet::clock::now() - what.began});
    }
    object& cause(const failure& why) {
        add("error", word_of(why.why()));
        add("message", std::string_view{why.what()}).add("exit_code", why.code());
        if (why.http_status()) add("http_status", std::uint64_t{*why.http_status()});
        if (const auto code = curl_code_of(why.why())) add("curl_code", std::uint64_t{*code});
        return *this;
    }
    std::string line() { return text_ + "}\n"; }

private:
    object& raw(std::string_view name, std::string_view value) {
        text_ += text_.empty() ? "{" : ",";
        text_ += apps::json_string(name);
        text_ += ':';
        text_ += value;
        return *this;
    }

    std::string text_;
};

}  // namespace

std::string start_event(const transfer& what) { return object{"start"}.item(what).line(); }
std::string progress_event(const transfer& what) { return object{"progress"}.item(what).numbers(what).line(); }
std::string done_event(const transfer& what) { return object{"done"}.item(what).numbers(what).line(); }

std::string retry_event(const transfer& what, const failure& why, unsigned next_try, unsigned tries,
                        std::chrono::nanoseconds wait) {
    object event{"retry"};
    event.item(what).numbers(what).cause(why);
    event.add("try", std::uint64_t{next_try}).add("tries", std::uint64_t{tries}).add("wait", wait);
    return event.line();
}

std::string skipped_event(const transfer& what, std::string_view why) {
    return object{"skipped"}.item(what).add("message", why).line();
}

std::string error_event(const transfer& what, const failure& why) {
    return object{"error"}.item(what).numbers(what).cause(why).line();
}

std::string error_event(const failure& why) { return object{"error"}.cause(why).line(); }

std::string interrupted_event(const transfer& what) {
    object event{"error"};
    event.item(what).numbers(what).add("error", std::string_view{"interrupted"});
    return event.add("exit_code", apps::exit_code::interrupted).line();
}

std::string summary_event(const board& all, bool interrupted) {
    object event{"summary"};
    event.add("ok", std::uint64_t{all.done()}).add("failed", std::uint64_t{all.failed()});
    event.add("skipped", std::uint64_t{all.skipped()}).add("unfinished", std::uint64_t{all.unfinished()});
    event.add("interrupted", interrupted).add("bytes", all.bytes()).add("resumed", all.resumed_bytes());
    return event.add("seconds", all.elapsed()).line();
}

void event_stream::put(const std::string& event) {
    if (to_->idle()) given_ = 0;
    if (waiting_.empty() && given_ + event.size() <= piece_bytes) {
        to_->put(event);
        given_ += event.size();
        return;
    }
    waiting_ += event;
    flush();
}

void event_stream::flush() {
    if (waiting_.empty() || !to_->idle()) return;
    if (to_->error()) {  // nobody reads any more
        waiting_.clear();
        return;
    }
    const std::size_t end = waiting_.size() <= piece_bytes ? waiting_.size() : waiting_.rfind('\n', piece_bytes) + 1;
    const std::size_t bytes = end > 0 ? end : waiting_.size();
    to_->put(std::string_view{waiting_}.substr(0, bytes));
    waiting_.erase(0, bytes);
    given_ = bytes;
}

ringlet::task<> event_stream::written() {
    co_await to_->finish();
    while (!waiting_.empty()) {
        flush();
        co_await to_->finish();
    }
}

}  // namespace fetch
