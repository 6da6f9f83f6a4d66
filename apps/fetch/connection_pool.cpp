// SPDX-License-Identifier: MIT
#include "fetch/connection_pool.hpp"

#include "common/numbers.hpp"
#include "fetch/failure.hpp"
#include "fetch/rate_limiter.hpp"
#include <ringlet/http/message.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/resolver.hpp>
#include <ringlet/net/tcp_stream.hpp>
#include <ringlet/net/tls_stream.hpp>
#include <ringlet/time/timeout.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace fetch {
namespace {

namespace http = ringlet::http;
namespace net = ringlet::net;

constexpr std::size_t receive_bytes_max = std::size_t{256} * 1024;
constexpr std::size_t dismissed_bytes_max = 64 * 1024;
constexpr std::chrono::seconds dismissed_time_max{2};

// What must not go to another server than the one it was meant for.
constexpr std::array<std::string_view, 3> secret_fields{"Authorization", "Cookie", "Proxy-Authorization"};

ringlet::task<bool> read_rest(http::client_connection& server) {
    for (std::size_t bytes = 0; bytes <= dismissed_bytes_max;) {
        const std::span<const std::byte> part = co_await server.read_some();
        if (part.empty()) co_return true;
        bytes += part.size();
    }
    co_return false;
}

}  // namespace

connection_pool::connection_pool(const options& how)
    : patience_{how.stall_timeout},
      per_host_{how.per_host},
      idle_max_{std::max(how.jobs, how.segments)},
      receive_bytes_{std::min(
          {rate_limiter{how.rate}.piece_bytes(), rate_limiter{how.rate_each}.piece_bytes(), receive_bytes_max})},
      headers_{how.headers},
      trust_{how.trust} {
    if (per_host_ == 0) per_host_ = idle_max_;
    if (!trust_.ca_file.empty()) tls();  // a file that is none is said before anything is downloaded
}

// Made when the first https URL comes: the system has many authorities.
const net::tls_context& connection_pool::tls() {
    if (tls_) return *tls_;
    try {
        tls_ = net::tls_context::client(trust_, "http/1.1");
    } catch (const std::runtime_error& error) {
        throw failure{reason::tls, std::string{"certificate authorities: "} + error.what()};
    }
    return *tls_;
}

http::request_head connection_pool::request_for(const question& what, bool secrets) const {
    http::request_head request;
    request.target = what.url.target();
    request.fields.add("Host", what.url.host_field());
    request.fields.add("User-Agent", "ringlet-fetch/" RINGLET_VERSION);
    request.fields.add("Accept", "*/*");
    for (const auto& [name, value] : headers_) request.fields.remove(name);
    for (const auto& [name, value] : headers_) request.fields.add(name, value);
    if (!secrets)
        for (const std::string_view name : secret_fields) request.fields.remove(name);
    request.fields.add("Accept-Encoding", "identity");  // what is saved is what the URL names
    if (!what.range.empty()) request.fields.add("Range", what.range);
    if (!what.range.empty() && !what.if_range.empty()) request.fields.add("If-Range", what.if_range);
    return request;
}

ringlet::task<host_slot> connection_pool::slot_for(const http::url& where) {
    std::shared_ptr<ringlet::semaphore>& host = hosts_[fmt::format("{} {}", where.host(), where.port())];
    if (!host) host = std::make_shared<ringlet::semaphore>(per_host_);
    std::shared_ptr<ringlet::semaphore> mine = host;
    co_await mine->acquire();
    co_return host_slot{std::move(mine)};
}

connection_pool::connection connection_pool::take(const http::url& where) {
    while (true) {
        const auto found =
            std::find_if(idle_.begin(), idle_.end(), [&](const idle& i) { return i.from.same_origin(where); });
        if (found == idle_.end()) return nullptr;
        connection carrier = std::move(found->carrier);
        idle_.erase(found);
        if (carrier->reusable()) return carrier;
    }
}

void connection_pool::keep(answer used) {
    if (!used.connection->may_be_reusable()) return;  // what happens meanwhile, `take` finds out
    if (idle_.size() >= idle_max_) idle_.erase(idle_.begin());
    try {
        idle_.push_back({std::move(used.from), std::move(used.connection)});
    } catch (const std::bad_alloc&) {  // then it is closed: what it was used for has not failed
    }
}

ringlet::task<> connection_pool::dismiss(answer unwanted) {
    if (unwanted.connection->body_bytes().value_or(0) > dismissed_bytes_max) co_return;
    bool read = false;
    try {
        read = co_await ringlet::with_timeout(dismissed_time_max, read_rest(*unwanted.connection));
    } catch (const std::exception&) {  // then the connection is of no use, and nothing is lost
    }
    if (read) keep(std::move(unwanted));
}

ringlet::task<connection_pool::connection> connection_pool::connect_and_secure(const http::url& where, bool& resolved) {
    std::vector<net::endpoint> peers = co_await net::resolve(where.host(), where.port());
    resolved = true;
    net::tcp_stream stream = co_await net::tcp_stream::connect(std::move(peers), where.host());
    if (!where.is_https()) co_return std::make_unique<http::client_connection>(std::move(stream));
    std::error_code why;
    try {
        net::tls_stream secured = co_await net::tls_stream::connect(std::move(stream), tls(), where.host());
        co_return std::make_unique<http::client_connection>(std::move(secured));
    } catch (const std::system_error& error) {
        if (error.code() == net::errc::certificate_refused || error.code() == net::errc::tls_failed)
            throw connection_failure(where.host_field() + ": " + error.what(), error.code());
        why = error.code();
    }
    throw connection_failure("TLS handshake with " + where.host_field() + ": " + why.message(), why);
}

ringlet::task<connection_pool::connection> connection_pool::connect(const http::url& where) {
    bool resolved = false;
    try {
        connection made = co_await ringlet::with_timeout(patience_, connect_and_secure(where, resolved));
        co_return std::move(made);
    } catch (const ringlet::timeout_error&) {
        const std::string what =
            resolved ? "connect to " + where.host_field() : "could not resolve host: " + where.host();
        throw timeout_failure(what + ": no answer for " + apps::format_duration(patience_));
    }
}

// nullptr: a connection used before is no good any more.
ringlet::task<http::response_head*> connection_pool::ask(http::client_connection& server,
                                                         const http::request_head& request, const http::url& where,
                                                         bool used_before) {
    std::error_code why;
    std::string words;
    try {
        http::response_head* const head = co_await ringlet::with_timeout(patience_, server.request(request));
        co_return head;
    } catch (const ringlet::timeout_error&) {
        throw timeout_failure("no response from " + where.host_field() + " for " + apps::format_duration(patience_));
    } catch (const std::system_error& error) {
        why = error.code();
        words = words_of(error);
    }
    if (used_before && net::is_disconnect(why)) co_return nullptr;
    if (why == net::errc::unexpected_end)
        throw connection_failure("no response: " + where.host_field() + " closed the connection", why);
    throw connection_failure("no response from " + where.host_field() + ": " + words, why);
}

ringlet::task<answer> connection_pool::get(question what, bool secrets) {
    host_slot slot = co_await slot_for(what.url);
    const http::request_head request = request_for(what, secrets);
    while (connection used = take(what.url)) {
        http::response_head* const head = co_await ask(*used, request, what.url, true);
        if (head != nullptr) co_return answer{std::move(what.url), std::move(used), head, std::move(slot)};
    }
    connection fresh = co_await connect(what.url);
    fresh->receive_at_most(receive_bytes_);
    http::response_head* const head = co_await ask(*fresh, request, what.url, false);
    co_return answer{std::move(what.url), std::move(fresh), head, std::move(slot)};
}

}  // namespace fetch
