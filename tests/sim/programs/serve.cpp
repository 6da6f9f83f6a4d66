// SPDX-License-Identifier: MIT
#include "programs.hpp"

#define main ringlet_serve_main
#include "serve/main.cpp"
#undef main

namespace programs {

ringlet::task<> serve(const serve::options& how) { return http_server(how); }

ringlet::task<> serve_one_client(net::tcp_listener& from, const serve::options& how) {
    serve::content served{how};
    serve::totals counted;
    context server{served, counted, false};
    auto stream = co_await from.accept();
    co_await serve_client(std::move(stream), server);
    co_await server.report.printers().finish();
}

}  // namespace programs
