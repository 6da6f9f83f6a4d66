// SPDX-License-Identifier: MIT
#include "compare/measure/silent.hpp"

#include "compare/load/load.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace comparison {
namespace {

using namespace std::chrono_literals;

constexpr nanoseconds silent_for = 1s;
constexpr nanoseconds other_comes_after = 100ms;
constexpr nanoseconds patience = 5s;
constexpr std::string_view silent_one = "the silent one";
constexpr std::string_view other_one = "the other one";

class silence {
public:
    silence(const server& at, const site& pages) : at_{&at}, page_{pages.find("1k")->body} {}

    ringlet::task<outcome> run() {
        begin_ = ringlet::clock::now();
        co_await ringlet::when_all(stay_silent(), ask());
        co_return std::move(found_);
    }

private:
    nanoseconds now() const noexcept { return ringlet::clock::now() - begin_; }

    // It leaves when its second is over, and as soon as the other one has been answered: there is nothing more to be seen.
    ringlet::task<> stay_silent() {
        auto stream = co_await ringlet::net::tcp_stream::connect(at_->address());
        const nanoseconds from = now();
        while (now() < silent_for && !is_over_) co_await ringlet::sleep(1ms);
        stream.close();
        found_.timeline.push_back({std::string{silent_one}, interval::kind::silent, from, now()});
    }

    ringlet::task<> ask() {
        co_await ringlet::sleep(other_comes_after);
        const nanoseconds from = now();
        const auto failure = co_await ringlet::move_on_after(patience, ask_once());
        const nanoseconds to = now();
        is_over_ = true;
        measurement& all = found_.all;
        all.connections = 2;
        all.served = 1;  // the silent one cannot complain
        found_.timeline.push_back({std::string{other_one}, interval::kind::waits, from, to});
        if (!failure || *failure) {
            ++all.errors[static_cast<std::size_t>(failure ? **failure : error_kind::timed_out)];
            co_return;
        }
        found_.timeline.push_back({std::string{other_one}, interval::kind::answered, to, to});
        all.seconds = std::chrono::duration<double>(to - from).count();
        all.answered = all.answered_ever = 1;
        all.served = 2;
        all.times = summarize({to - from});
    }

    ringlet::task<std::optional<error_kind>> ask_once() {
        try {
            const std::string body = co_await fetch_page(at_->address(), "/1k");
            if (body != page_) co_return error_kind::wrong_bytes;
        } catch (const std::exception&) {
            co_return error_kind::reset;
        }
        co_return std::nullopt;
    }

    const server* at_;
    const std::string& page_;
    ringlet::deadline begin_;
    bool is_over_ = false;
    outcome found_;
};

}  // namespace

ringlet::task<outcome> one_is_silent(const server& at, const site& pages) {
    silence scene{at, pages};
    outcome found = co_await scene.run();
    co_return found;
}

}  // namespace comparison
