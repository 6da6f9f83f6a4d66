// SPDX-License-Identifier: MIT
// A coroutine for each connection, all on one thread. The state of a connection is in the coroutine's frame: written as
// straight as with a thread, and where a thread would wait, the others go on. The kernel does the waiting (io_uring).
#include "compare/exchange.hpp"
#include "compare/models/models.hpp"
#include "compare/sockets.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/bytes.hpp>
#include <ringlet/net/multishot_stream.hpp>
#include <ringlet/net/serve.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <functional>
#include <utility>

namespace comparison {
namespace {

namespace net = ringlet::net;

ringlet::task<> talk(net::tcp_stream stream, const site& pages) {
    net::multishot_stream client{std::move(stream)};
    exchange requests{pages};
    for (;;) {
        while (const auto answer = requests.next()) {
            if (answer->wait.count() > 0) co_await ringlet::sleep(answer->wait);
            co_await ringlet::with_timeout(patience, client.send_all(ringlet::as_bytes(answer->text)));
            if (answer->closes) co_return;
        }
        const auto lease = co_await ringlet::with_timeout(patience, client.recv_lease());
        if (lease.empty()) co_return;
        requests.feed(ringlet::as_text(lease.bytes()));
    }
}

}  // namespace

void serve_coroutine(ringlet::net::tcp_listener& listener, const site& pages) {
    ringlet::run(net::serve(listener, talk, std::cref(pages)));
}

}  // namespace comparison
