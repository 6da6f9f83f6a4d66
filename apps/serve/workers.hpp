// SPDX-License-Identifier: MIT
#pragma once

#include "serve/clients.hpp"
#include "serve/content.hpp"
#include "serve/reporter.hpp"
#include <ringlet/core/task.hpp>
#include <ringlet/net/tcp_listener.hpp>

#include <cstddef>
#include <vector>

namespace serve {

/// What several processes count, each for itself, in memory that all of them see. It outlives those that die.
class shared_totals {
public:
    /// Errors: std::system_error as mmap(2).
    explicit shared_totals(std::size_t workers);
    shared_totals(const shared_totals&) = delete;
    shared_totals& operator=(const shared_totals&) = delete;
    ~shared_totals();

    totals& of(std::size_t worker) noexcept { return each_[worker]; }
    totals sum() const noexcept;

private:
    std::size_t workers_;
    totals* each_;
};

/// What a process does with its listener until `told` to end, which is a task that ends then.
using worker_body = ringlet::task<>(ringlet::net::tcp_listener&, content&, totals&, ringlet::task<> told);

/// Runs `body` in a process for each listener, and again where one dies; the listeners stay open meanwhile, so that
/// nobody who connects is refused. At SIGINT or SIGTERM all are told to end together; those signals are for this process
/// alone, also when they are sent to all. What they write on standard output goes through this process line by line, so
/// that no two lines are mixed.
///
/// Result:    nothing, when all have ended after such a signal.
/// Errors:    std::system_error as pipe2(2); `cancelled`. The processes are ended then.
ringlet::task<> run_workers(std::vector<ringlet::net::tcp_listener> listeners, worker_body& body, content& served,
                            shared_totals& counted, reporter& report);

}  // namespace serve
