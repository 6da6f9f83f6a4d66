// SPDX-License-Identifier: MIT
// When to ask again, and how fast: pure, or under virtual time.
#include "core/support.hpp"
#include "fetch/rate_limiter.hpp"
#include "fetch/retry.hpp"
#include <ringlet/core/combinators.hpp>
#include <ringlet/http/date.hpp>
#include <ringlet/time/sleep.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <vector>

using namespace ringlet;
using namespace ringlet_tests;
using namespace std::chrono;

namespace {

const fetch::failure broken{fetch::reason::connect, "broken"};

std::optional<nanoseconds> after(std::string_view text) {
    http::response_head head;
    head.fields.add("Retry-After", text);
    return fetch::retry_after(head);
}
std::optional<nanoseconds> after(const std::array<char, 29>& date) { return after(std::string_view{date.data(), 29}); }

sys_seconds now() { return sys_seconds{seconds{std::time(nullptr)}}; }

task<> pass(fetch::rate_limiter& limit, std::size_t bytes, int times, std::vector<nanoseconds>& ends,
            checked_loop& loop) {
    for (int i = 0; i < times; ++i) {
        co_await limit.pass(bytes);
        ends.push_back(loop.now());
    }
}

}  // namespace

TEST_CASE("waits double up to ten seconds, give or take a fifth", "[fetch]") {
    for (std::uint64_t chance = 0; chance < 1000; ++chance) {
        nanoseconds whole = 1s;
        for (unsigned tries = 1; tries < 100; ++tries) {
            const nanoseconds wait = fetch::wait_before_retry(tries, 1s, broken, chance);
            CHECK(wait >= whole / 10 * 8);
            CHECK(wait <= whole / 10 * 12);
            whole = std::min<nanoseconds>(whole * 2, fetch::retry_wait_max);
        }
    }
}

TEST_CASE("those who failed together do not come back together", "[fetch]") {
    std::vector<nanoseconds> waits;
    for (std::uint64_t chance = 0; chance < 1000; ++chance)
        waits.push_back(fetch::wait_before_retry(1, 1s, broken, chance));
    std::ranges::sort(waits);
    CHECK(waits.front() < 850ms);
    CHECK(waits.back() > 1150ms);
    CHECK(std::ranges::unique(waits).begin() - waits.begin() > 30);
}

TEST_CASE("a first wait of nothing, or of ages, stays one", "[fetch]") {
    CHECK(fetch::wait_before_retry(1, 0s, broken, 5) == 0s);
    CHECK(fetch::wait_before_retry(1'000, 0s, broken, 5) == 0s);
    for (std::uint64_t chance = 0; chance < 100; ++chance) {
        const nanoseconds ages = hours{24 * 365 * 100};
        CHECK(fetch::wait_before_retry(1'000, ages, broken, chance) >= ages / 10 * 8);
        CHECK(fetch::wait_before_retry(1'000, ages, broken, chance) <= ages / 10 * 12);
    }
}

TEST_CASE("what the server asks for is waited exactly", "[fetch]") {
    const fetch::failure later = fetch::failure{fetch::reason::status, "later"}.that_may_pass(7s);
    CHECK(fetch::wait_before_retry(1, 1s, later, 3) == 7s);
    CHECK(fetch::wait_before_retry(9, 1s, later, 4) == 7s);
}

TEST_CASE("Retry-After in seconds", "[fetch]") {
    CHECK(after("0") == 0s);
    CHECK(after("120") == 120s);
    CHECK(after("007") == 7s);
    CHECK(after("99999999999") > fetch::retry_after_max);
    CHECK(after("18446744073709551616") > fetch::retry_after_max);
    CHECK(after(std::string(1000, '9')) > fetch::retry_after_max);
}

TEST_CASE("Retry-After as a date", "[fetch]") {
    const auto in_a_minute = after(http::format_date(now() + 60s));
    REQUIRE(in_a_minute);
    CHECK(*in_a_minute > 50s);
    CHECK(*in_a_minute <= 60s);
    CHECK(after(http::format_date(now() - 60s)) == 0s);
    CHECK(after("Thu, 01 Jan 1970 00:00:00 GMT") == 0s);
    CHECK(after("Fri, 31 Dec 9999 23:59:59 GMT") > fetch::retry_after_max);
}

TEST_CASE("Retry-After that is none", "[fetch]") {
    for (const std::string_view text :
         {"", "-1", "+1", "1.5", "1s", "1 2", "0x10", "soon", "Thu, 01 Foo 1970 00:00:00 GMT"})
        CHECK(!after(text));
    CHECK(!fetch::retry_after(http::response_head{}));
}

TEST_CASE("what may pass", "[fetch]") {
    std::vector<unsigned> found;
    for (unsigned status = 100; status < 1000; ++status)
        if (fetch::may_pass(static_cast<http::status>(status))) found.push_back(status);
    CHECK(found == std::vector<unsigned>{408, 429, 500, 502, 503, 504, 522, 524});
}

TEST_CASE("a rate is kept to the nanosecond, whoever asks", "[fetch]") {
    checked_loop loop;
    fetch::rate_limiter limit{1000};
    CHECK(limit.limits());
    CHECK(!fetch::rate_limiter{0}.limits());
    std::vector<nanoseconds> one;
    std::vector<nanoseconds> other;
    loop.run(when_all(pass(limit, 500, 4, one, loop), pass(limit, 500, 4, other, loop)));
    CHECK(one == std::vector<nanoseconds>{500ms, 1500ms, 2500ms, 3500ms});
    CHECK(other == std::vector<nanoseconds>{1s, 2s, 3s, 4s});
}

TEST_CASE("time in which nobody asked is not made up for", "[fetch]") {
    checked_loop loop;
    fetch::rate_limiter limit{1000};
    std::vector<nanoseconds> ends;
    loop.run(pass(limit, 1000, 1, ends, loop));
    loop.run([]() -> task<> { co_await ringlet::sleep(1h); }());
    loop.run(pass(limit, 1000, 2, ends, loop));
    CHECK(ends == std::vector<nanoseconds>{1s, 1h + 2s, 1h + 3s});
}
