// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include "compare/measure/server.hpp"
#include <ringlet/os/run_main.hpp>

#include <stdexcept>
#include <string>

#include <sys/wait.h>

using comparison::server;

namespace {

// What is told of a server that says this in one piece, and ends.
ringlet::task<std::string> told_of(std::string says) {
    const comparison::server_command command{{"sh", "-c", "printf '" + says + "'"}, std::nullopt};
    try {
        server one = co_await server::start(command);
        siginfo_t ended{};
        CHECK(::waitid(P_PID, static_cast<id_t>(one.pid()), &ended, WEXITED | WNOWAIT) == 0);  // it says no more
        (void)co_await one.stop();
    } catch (const std::runtime_error& error) {
        co_return error.what();
    }
    co_return "";
}

}  // namespace

TEST_CASE("What a server says in the same breath as where it serves is told when it ends", "[compare][server]") {
    CHECK(ringlet::run(told_of("Serving at http://127.0.0.1:9/, model uring\\nio_uring: denied\\n")) ==
          "it ended by itself: io_uring: denied");
    CHECK(ringlet::run(told_of("see http://a.test/\\nServing at http://127.0.0.1:9/\\n")) ==
          "it ended by itself: it said nothing");
}

TEST_CASE("What a server says that does not serve is told", "[compare][server]") {
    CHECK(ringlet::run(told_of("cannot serve http://0.0.0.0:80: in use\\n")) ==
          "it does not start: cannot serve http://0.0.0.0:80: in use\n");
}
