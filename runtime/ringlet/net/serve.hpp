// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/detail/job_group.hpp>
#include <ringlet/core/detail/join.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/net/drain.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/tcp_listener.hpp>
#include <ringlet/net/tcp_stream.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace ringlet::net {

/// How `serve` runs.
struct serve_options {
    serve_options() noexcept {}
    explicit serve_options(drain& told) noexcept : until{&told} {}
    /// When this begins, no more connections are accepted; `serve` ends when its handlers have.
    drain* until = nullptr;
    /// So many at a time; further ones wait to be accepted.
    std::size_t connections_max = std::numeric_limits<std::size_t>::max();
    /// Told of handlers that fail. By default a line on stderr names the peer and says why, but for the errors by which
    /// peers come and go (is_disconnect), time limits among them. What it throws is dropped. The peer of a Unix socket
    /// has no endpoint: it is unspecified.
    std::function<void(const endpoint& peer, const std::exception_ptr& why)> on_failure;
};

namespace detail {

/// The handlers of one `serve`.
class connections : private ringlet::detail::job_group {
public:
    explicit connections(serve_options options);

    /// The next connection, once there is room for one; nullopt when the drain has begun.
    template <class Listener>
    task<std::optional<typename Listener::stream_type>> next(Listener& listener) {
        if (full()) {
            const bool may = co_await room();
            if (!may) co_return std::nullopt;
        }
        drain* const until = options_.until;
        if (until) co_return co_await until->unless_begun(listener.accept());
        typename Listener::stream_type stream = co_await listener.accept();
        co_return std::move(stream);
    }
    void start(task<> handler, const endpoint& peer);
    void failed(const endpoint& peer, const std::exception_ptr& why) const noexcept;
    using job_group::cancel_all;
    auto end() noexcept { return ringlet::detail::group_end{*this}; }

private:
    class room_wait;
    static void ended(job_group& group, job_block& job) noexcept;
    bool full() const noexcept { return size() >= options_.connections_max; }
    /// False when the drain has begun.
    task<bool> room();

    serve_options options_;
    job_block* wants_room_ = nullptr;
};

/// Serves in a coroutine that keeps the handler and what its parameters refer to.
template <class Kept>
struct service;
template <class Handler, class Stream, class... Kept>
struct service<std::tuple<Handler, Stream, Kept...>> {
    static_assert(std::is_invocable_r_v<task<>, Handler&, Stream, Kept&...>,
                  "serve calls handler(stream, args...) for each connection, a coroutine function that returns a "
                  "ringlet::task<>: the handler does not take these arguments, or gives something else");

    template <class Listener>
    static task<> start(Listener& listener, serve_options options, Handler handler, Kept... kept) {
        connections all{std::move(options)};
        std::exception_ptr failure;
        try {
            while (std::optional<Stream> stream = co_await all.next(listener)) {
                const endpoint peer = stream->peer_endpoint();
                try {
                    all.start(std::invoke(handler, std::move(*stream), static_cast<Kept&>(kept)...), peer);
                } catch (...) {
                    all.failed(peer, std::current_exception());
                }
            }
            listener.close();
        } catch (...) {
            failure = std::current_exception();
            all.cancel_all();
        }
        co_await all.end();
        if (failure) std::rethrow_exception(failure);
    }
};

}  // namespace detail

/// Serves every connection of a tcp_listener or unix_listener by a job of its own, `handler(stream, args...)`, until it
/// is cancelled or its drain begins. The handler's task may borrow `args`, which are kept as by `spawn` and live as long
/// as `serve`; std::ref passes a real reference.
///
/// Result:    nothing, when the drain has begun and the last handler has ended; the listener is closed then.
/// Errors:    what accept(2) says for good; `cancelled`. A handler's failure ends its connection only, see
///            serve_options. Either way the handlers are cancelled, and it does not return before the last has ended.
/// Lifetime:  borrows the listener until the co_await ends.
/// Thread:    the loop's thread only.
template <class Listener, class Handler, class... Args>
    requires(!std::same_as<std::remove_cvref_t<Handler>, serve_options>)
task<> serve(Listener& listener, serve_options options, Handler&& handler, Args&&... args) {
    using call = ringlet::detail::kept_call<Handler, typename Listener::stream_type, Args...>;
    return detail::service<typename call::type>::start(listener, std::move(options), std::forward<Handler>(handler),
                                                       std::forward<Args>(args)...);
}

template <class Listener, class Handler, class... Args>
    requires(!std::same_as<std::remove_cvref_t<Handler>, serve_options>)
task<> serve(Listener& listener, Handler&& handler, Args&&... args) {
    return serve(listener, serve_options(), std::forward<Handler>(handler), std::forward<Args>(args)...);
}

}  // namespace ringlet::net
