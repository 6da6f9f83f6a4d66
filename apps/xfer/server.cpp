// SPDX-License-Identifier: MIT
#include "xfer/server.hpp"

#include "common/confined_open.hpp"
#include "common/sanitize.hpp"
#include "xfer/sender.hpp"
#include <ringlet/net/error.hpp>
#include <ringlet/net/serve.hpp>

#include <fmt/format.h>

#include <exception>
#include <functional>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace xfer {
namespace {

namespace net = ringlet::net;
namespace io = ringlet::io;

// Beyond the limit, so many more are told that there are too many.
constexpr std::size_t turned_away_max = 64;

io::owned_fd open_root(const std::string& path) {
    io::owned_fd root{io::sys::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!root)
        throw std::system_error{errno, std::generic_category(),
                                "cannot serve " + apps::sanitize(path, apps::text_context::field)};
    return root;
}

// To be called in a catch block: what to say of how the connection ended.
void describe_end(transfer& what) {
    try {
        throw;
    } catch (const std::system_error& error) {
        const bool for_nothing = what.name.empty() && net::is_disconnect(error.code());
        if (for_nothing) return;
        what.result = error.code() == std::errc::timed_out ? "stalled" : "cut";
        what.why = error.code().message();
    } catch (const std::exception& error) {
        what.result = "failed";
        what.why = error.what();
    }
}

struct place_of_one {
    explicit place_of_one(std::size_t& counted) noexcept : count{counted} { ++count; }
    place_of_one(const place_of_one&) = delete;
    place_of_one& operator=(const place_of_one&) = delete;
    ~place_of_one() { --count; }
    std::size_t& count;
};

}  // namespace

server::server(const serve_options& options) : how{options}, root{open_root(options.root)}, report{options} {}

ringlet::task<> serve_client(net::tcp_stream stream, server& here) {
    const place_of_one place{here.active};
    here.report.connected();
    transfer what;
    what.peer = stream.peer_endpoint();
    what.began = ringlet::clock::now();
    try {
        if (here.how.plain)
            co_await answer_plainly(stream, here, what);
        else
            co_await answer(stream, here, what);
    } catch (const ringlet::cancelled&) {
        if (!what.name.empty()) {
            what.result = "cut";
            what.why = "the server ends";
        }
        here.report.ended(what);
        throw;
    } catch (const std::exception&) {
        describe_end(what);
    }
    here.report.ended(what);
}

ringlet::task<> serve_clients(net::tcp_listener& listener, server& here) {
    here.report.listens(listener.local_endpoint());
    net::serve_options serving{here.drain};
    serving.connections_max = here.how.connections_max + turned_away_max;
    serving.on_failure = [&here](const net::endpoint& peer, const std::exception_ptr& why) {
        here.report.say(fmt::format("connection from {}: {}", peer, ringlet::detail::describe(why)));
    };
    co_await net::serve(listener, std::move(serving), serve_client, std::ref(here));
}

}  // namespace xfer
