// SPDX-License-Identifier: MIT
// A coroutine for each file, so many at a time, all on one thread: gevent's pool and spawn. Written as straight as with a
// thread; each co_await is where the others go on. Nobody else runs in between, so nothing needs a lock. And who waits can be
// told to stop: on Ctrl-C all are cancelled where they wait, and take back what is not whole.
#include "compare/downloads/download.hpp"
#include "compare/downloads/models.hpp"
#include "compare/sockets.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>
#include <ringlet/sync/pool.hpp>
#include <ringlet/time/timeout.hpp>

#include <array>
#include <csignal>
#include <exception>
#include <functional>
#include <span>
#include <variant>

namespace comparison {
namespace {

ringlet::task<> transfer(download& file) {
    auto server = co_await ringlet::move_on_after(
        patience, ringlet::net::tcp_stream::connect(file.from().host(), file.from().port()));
    if (!server) throw no_connection();
    const auto sent = co_await ringlet::move_on_after(patience, server->send_all(ringlet::as_bytes(file.request())));
    if (!sent) throw silence();
    std::array<std::byte, download::block_bytes> block;
    for (bool goes_on = true; goes_on;) {
        const auto got = co_await ringlet::move_on_after(patience, server->recv(block));
        if (!got) throw silence();
        goes_on = file.take(std::span{block}.first(*got));
    }
}

ringlet::task<> fetch_one(const wanted_file& what, download_session& all) {
    try {
        download file{what, all};
        co_await transfer(file);
    } catch (const std::exception&) {
        all.failed(what);
    }
}

ringlet::task<> fetch_each(ringlet::pool& jobs, download_session& all) {
    while (const wanted_file* const next = all.next())
        co_await jobs.spawn(fetch_one, std::cref(*next), std::ref(all));  // waits for room
}

ringlet::task<int> until_told_to_end() { return ringlet::until_signal(SIGINT, SIGTERM); }

ringlet::task<> fetch_all(download_session& all) {
    const auto end =
        co_await ringlet::first_of(until_told_to_end(), ringlet::with_pool(all.jobs(), fetch_each, std::ref(all)));
    if (const int* const number = std::get_if<0>(&end)) all.interrupted(*number);
}

}  // namespace

void fetch_coroutine(download_session& all) { ringlet::run(fetch_all(all)); }

}  // namespace comparison
