// SPDX-License-Identifier: MIT
#include "common/json_line.hpp"
#include "common/process.hpp"
#include "load/modes.hpp"
#include "load/pattern.hpp"
#include "load/sockets.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

void exchange(const load_options& options, const socket_handle& peer, const pattern& bytes, std::uint64_t sequence,
              std::span<std::byte> buffer) {
    peer.send_all(bytes.message(0, sequence));
    for (std::size_t received = 0; received < options.message_bytes;) {
        const auto chunk = peer.receive(buffer, options.spin);
        if (const auto wrong = bytes.mismatch(0, sequence, received, chunk)) give_up(*wrong);
        received += chunk.size();
    }
}

double percentile_us(const std::vector<std::uint32_t>& sorted, double part) {
    if (sorted.empty()) return 0;
    const auto index = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
    return sorted[std::min(index, sorted.size() - 1)] / 1000.0;
}

}  // namespace

void run_ping_pong(const load_options& options) {
    const pattern bytes{options.message_bytes};
    const socket_handle peer{options};
    std::vector<std::byte> buffer(std::max<std::size_t>(options.message_bytes, 4096));
    std::uint64_t sequence = 0;
    const auto after_warm_up = clock::now() + options.warm_up;
    while (clock::now() < after_warm_up) exchange(options, peer, bytes, sequence++, buffer);

    std::vector<std::uint32_t> round_trips;
    round_trips.reserve(1 << 20);
    std::optional<cpu_clock> server;
    if (options.server != 0) server.emplace(options.server);
    const auto cpu_before = server ? server->now() : std::chrono::nanoseconds{};
    const auto start = clock::now();
    for (auto before = start;;) {
        exchange(options, peer, bytes, sequence++, buffer);
        const auto after = clock::now();
        const auto taken = std::chrono::nanoseconds{after - before}.count();
        round_trips.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(taken, UINT32_MAX)));
        before = after;
        if (options.messages != 0 ? round_trips.size() >= options.messages : after - start >= options.duration) break;
    }
    const std::chrono::duration<double> wall = clock::now() - start;
    const auto cpu = server ? server->now() - cpu_before : std::chrono::nanoseconds{};

    const auto count = static_cast<double>(round_trips.size());
    std::sort(round_trips.begin(), round_trips.end());
    json_line{}
        .add("mode", "ping-pong")
        .add("bytes", static_cast<std::uint64_t>(options.message_bytes))
        .add("requests", static_cast<std::uint64_t>(round_trips.size()))
        .add("seconds", wall.count())
        .add("requests_per_second", count / wall.count())
        .add("server_cpu_us_per_request", static_cast<double>(cpu.count()) / 1000.0 / count)
        .add("p50_us", percentile_us(round_trips, 0.50))
        .add("p90_us", percentile_us(round_trips, 0.90))
        .add("p99_us", percentile_us(round_trips, 0.99))
        .add("max_us", percentile_us(round_trips, 1.0))
        .add("errors", std::uint64_t{0})
        .print();
}

}  // namespace bench
