// SPDX-License-Identifier: MIT
// expect: serve calls handler(stream, args...) for each connection
// expect: the handler does not take these arguments, or gives something else
#include <ringlet/net/serve.hpp>

#include <functional>

ringlet::task<> count(ringlet::net::tcp_stream, int& connections) {
    ++connections;
    co_return;
}

ringlet::task<> caller(ringlet::net::tcp_listener& listener) {
    int connections = 0;
#ifdef CONTROL
    co_await ringlet::net::serve(listener, count, std::ref(connections));
#else
    co_await ringlet::net::serve(listener, count, connections, "unexpected");
#endif
}
