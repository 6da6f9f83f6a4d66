// SPDX-License-Identifier: MIT
#pragma once

#include "compare/load/answer_check.hpp"
#include "compare/results.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/time/clock.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace comparison {

/// Who asks for what, and how often.
struct load_plan {
    ringlet::net::endpoint server;
    std::string path;
    unsigned connections = 1;
    bool keeps_connections = true;  ///< false: a new one for each request
    /// Requests a second of all connections together, at set times whatever has been answered: open loop, in which a time
    /// counts from when the request was to be sent. 0: closed loop, each connection asks again when it was answered.
    double rate = 0;
};

/// Clients that ask a server and look at every byte of its answers. Thread: the loop's thread only.
class load {
public:
    /// `page` may be shared with others who ask for the same; both must outlive this.
    load(load_plan plan, wanted_page& page);

    /// Asks until it is cancelled.
    ringlet::task<> run();

    /// Those who have had an answer.
    unsigned served() const noexcept {
        return static_cast<unsigned>(std::ranges::count_if(clients_, &asker::is_served));
    }

    /// Answers and failures are counted from `begin_counting` on; `end_counting` gives what there was.
    /// In closed loop a request that was sent before and has no answer when the counting ends is counted as timed out: it
    /// waited all the time. In open loop those that were to be sent in this time are counted, and `end_counting` waits for
    /// their answers, a second at most.
    void begin_counting() noexcept { counted_from_ = ringlet::clock::now(); }
    ringlet::task<measurement> end_counting();

private:
    struct asker {
        bool is_served = false;
        std::optional<ringlet::deadline> asked;  // when, while there is no answer
        ringlet::deadline due;                   // the next request, in open loop
    };

    static ringlet::task<> start_clients(ringlet::task_group& group, load& self);
    ringlet::task<> keep_asking(asker& me);
    ringlet::task<> converse(asker& me);
    void answered(asker& me);
    void failed(asker& me, error_kind why);
    bool is_counted(const asker& me) const noexcept;
    bool is_open_loop() const noexcept { return plan_.rate > 0; }

    load_plan plan_;
    wanted_page* page_;
    std::string request_;
    std::vector<asker> clients_;
    nanoseconds step_{0};  // between two requests of one connection, in open loop
    ringlet::deadline counted_from_ = ringlet::deadline::max();
    ringlet::deadline counted_to_ = ringlet::deadline::max();
    std::vector<nanoseconds> times_;
    std::array<std::uint64_t, error_kinds> errors_{};
    std::uint64_t answered_ever_ = 0;
};

/// The page as the server gives it now: what all answers must be like. Throws std::runtime_error when it does not come.
ringlet::task<std::string> fetch_page(ringlet::net::endpoint server, std::string path);

/// Of measured times, in any order.
latencies summarize(std::vector<nanoseconds> times);

}  // namespace comparison
