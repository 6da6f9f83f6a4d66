// SPDX-License-Identifier: MIT
// A queue between processes: one puts in, the other takes out.
//
// Two processes share no memory, but for what is made to be shared. A queue is: what one process
// puts in at one end, the other gets at the other end, in the same order. The queue here holds two
// items; who wants to put a third one waits until there is room, so a fast producer cannot run away
// from a slow consumer. close() says that nothing more will come.
//
// Python: q = multiprocessing.Queue(2); q.put(x); q.get(). Python's has no close for the reader;
// one puts a None to say it.

#include <ringlet/os/process.hpp>
#include <ringlet/os/process_queue.hpp>
#include <ringlet/os/run_main.hpp>

#include <fmt/core.h>

#include <functional>

ringlet::task<> download(ringlet::process_queue<int>& to) {
    for (const int data : {11, 22, 33, 44}) co_await to.put(data);  // waits while the queue is full
    to.close();
}

ringlet::task<> analyse() {
    ringlet::process_queue<int> queue{2};
    auto downloader = ringlet::process::start(download, std::ref(queue));
    int sum = 0;
    while (const auto data = co_await queue.get()) {  // nothing, when it is closed and empty
        fmt::print("got {}\n", *data);
        sum += *data;
    }
    const int code = co_await downloader.join();
    fmt::print("the sum is {}; the downloader ended with {}\n", sum, code);

    fmt::print("a queue that is full says so: ");
    ringlet::process_queue<int> small{1};
    const bool first = small.try_put(1);  // never waits
    const bool second = small.try_put(2);
    fmt::print("first {}, second {}, full {}\n", first, second, small.full());
}

int main() { ringlet::run(analyse()); }
