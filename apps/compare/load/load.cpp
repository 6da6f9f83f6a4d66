// SPDX-License-Identifier: MIT
#include "compare/load/load.hpp"

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/http/client.hpp>
#include <ringlet/net/multishot_stream.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace comparison {
namespace {

namespace net = ringlet::net;
using namespace std::chrono_literals;
using verdict = answer_check::verdict;

constexpr nanoseconds pause_after_failure = 10ms;  // no storm of connections onto a server that has none to give
constexpr nanoseconds rest_waits = 1s;
constexpr unsigned started_at_once = 50;  // clients; the queue of a listener is not endless
constexpr std::size_t page_bytes_max = std::size_t{64} << 20;

std::string request_for(const load_plan& plan) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", plan.path, plan.server,
                       plan.keeps_connections ? "" : "Connection: close\r\n");
}

error_kind kind_of(verdict said) noexcept {
    switch (said) {
        case verdict::wrong_status:
            return error_kind::wrong_status;
        case verdict::wrong_bytes:
            return error_kind::wrong_bytes;
        case verdict::cut:
            return error_kind::reset;
        default:
            return error_kind::no_http;
    }
}

error_kind kind_of(const std::error_code& error) noexcept {
    if (error == std::errc::connection_refused) return error_kind::refused;
    return error == std::errc::timed_out ? error_kind::timed_out : error_kind::reset;
}

}  // namespace

load::load(load_plan plan, wanted_page& page)
    : plan_{std::move(plan)}, page_{&page}, request_{request_for(plan_)}, clients_(plan_.connections) {
    if (is_open_loop()) step_ = nanoseconds{static_cast<std::int64_t>(plan_.connections / plan_.rate * 1e9)};
    times_.reserve(std::size_t{1} << 19);  // no growing while times are taken
}

ringlet::task<> load::run() { co_await ringlet::with_task_group(start_clients, std::ref(*this)); }

ringlet::task<> load::start_clients(ringlet::task_group& group, load& self) {
    const auto begin = ringlet::clock::now();
    unsigned started = 0;
    for (asker& each : self.clients_) {
        each.due = begin + self.step_ * started / self.plan_.connections;
        group.spawn(&load::keep_asking, std::ref(self), std::ref(each));
        if (++started % started_at_once == 0) co_await ringlet::sleep(1ms);
    }
}

ringlet::task<> load::keep_asking(asker& me) {
    for (;;) {
        const std::uint64_t answers_before = answered_ever_;
        try {
            co_await converse(me);
        } catch (const std::system_error& error) {
            failed(me, kind_of(error.code()));
        }
        if (answered_ever_ == answers_before) co_await ringlet::sleep(pause_after_failure);
    }
}

// One connection: one request, or one after the other until something goes wrong.
ringlet::task<> load::converse(asker& me) {
    if (is_open_loop()) co_await ringlet::sleep_until(me.due);
    me.asked = ringlet::clock::now();
    net::tcp_stream connected = co_await net::tcp_stream::connect(plan_.server);
    net::multishot_stream server{std::move(connected)};
    answer_check check{*page_};
    for (;;) {
        co_await server.send_all(ringlet::as_bytes(request_));
        verdict said = verdict::more;
        while (said == verdict::more) {
            const auto lease = co_await server.recv_lease();
            std::string_view bytes = ringlet::as_text(lease.bytes());
            said = lease.empty() ? check.finish() : check.feed(bytes);
            if (said == verdict::right && !bytes.empty()) said = verdict::no_http;  // more than was asked for
        }
        if (said != verdict::right) {
            failed(me, kind_of(said));
            co_return;
        }
        answered(me);
        if (!plan_.keeps_connections || !check.keeps()) {
            // Who ends a connection first keeps its ports for a while: that is to be the server, which has but one.
            (void)co_await ringlet::as_result(ringlet::with_timeout(rest_waits, server.recv_lease()));
            co_return;
        }
        if (is_open_loop()) co_await ringlet::sleep_until(me.due);
        me.asked = ringlet::clock::now();
    }
}

bool load::is_counted(const asker& me) const noexcept {
    if (is_open_loop()) return me.due >= counted_from_ && me.due < counted_to_;
    return counted_from_ != ringlet::deadline::max() && counted_to_ == ringlet::deadline::max();
}

void load::answered(asker& me) {
    me.is_served = true;
    ++answered_ever_;
    if (is_counted(me)) times_.push_back(ringlet::clock::now() - (is_open_loop() ? me.due : *me.asked));
    me.asked.reset();
    me.due += step_;
}

void load::failed(asker& me, error_kind why) {
    if (is_counted(me)) ++errors_[static_cast<std::size_t>(why)];
    me.asked.reset();
    me.due += step_;
}

ringlet::task<measurement> load::end_counting() {
    counted_to_ = ringlet::clock::now();
    const auto is_overdue = [this](const asker& each) { return each.due < counted_to_; };
    std::uint64_t waiting = 0;
    if (is_open_loop()) {
        const auto patience_ends = counted_to_ + rest_waits;
        while (std::ranges::any_of(clients_, is_overdue) && ringlet::clock::now() < patience_ends)
            co_await ringlet::sleep(1ms);
        for (const asker& each : clients_)
            if (is_overdue(each)) waiting += static_cast<std::uint64_t>((counted_to_ - each.due) / step_) + 1;
    } else {
        waiting = static_cast<std::uint64_t>(std::ranges::count_if(
            clients_, [this](const asker& each) { return each.asked && *each.asked <= counted_from_; }));
    }
    measurement all;
    all.seconds = std::chrono::duration<double>(counted_to_ - counted_from_).count();
    all.answered = times_.size();
    all.answered_ever = answered_ever_;
    all.times = summarize(std::exchange(times_, {}));
    all.errors = errors_;
    all.errors[static_cast<std::size_t>(error_kind::timed_out)] += waiting;
    all.connections = plan_.connections;
    all.served = served();
    co_return all;
}

ringlet::task<std::string> fetch_page(net::endpoint server, std::string path) {
    const std::string url = fmt::format("http://{}{}", server, path);
    ringlet::http::response response = co_await ringlet::http::get(url);
    if (response.status() != ringlet::http::status::ok)
        throw std::runtime_error{fmt::format("{}: the server answers {}", url, to_number(response.status()))};
    std::string body = co_await response.text(page_bytes_max);
    co_return body;
}

latencies summarize(std::vector<nanoseconds> times) {
    latencies all;
    if (times.empty()) return all;
    std::ranges::sort(times);
    const auto add = [&](double share) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(times.size())));
        all.curve.push_back({share, times[std::max(rank, std::size_t{1}) - 1]});
    };
    for (int i = 0; i < 18; ++i) add(i / 20.0);
    for (int i = 90; i < 99; ++i) add(i / 100.0);
    for (int i = 990; i < 999; ++i) add(i / 1000.0);
    for (int i = 9990; i <= 10'000; ++i) add(i / 10'000.0);
    return all;
}

}  // namespace comparison
