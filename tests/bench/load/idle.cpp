// SPDX-License-Identifier: MIT
#include "common/json_line.hpp"
#include "common/process.hpp"
#include "load/modes.hpp"
#include "load/pattern.hpp"
#include "load/sockets.hpp"

#include <fmt/format.h>

#include <thread>
#include <vector>

namespace bench {
namespace {

void exchange(const load_options& options, const socket_handle& peer, const pattern& bytes, std::uint32_t connection,
              std::uint64_t sequence) {
    std::vector<std::byte> buffer(options.message_bytes);
    peer.send_all(bytes.message(connection, sequence));
    for (std::size_t received = 0; received < options.message_bytes;) {
        const auto chunk = peer.receive(buffer, {});
        if (const auto wrong = bytes.mismatch(connection, sequence, received, chunk)) give_up(*wrong);
        received += chunk.size();
    }
}

}  // namespace

void run_idle(const load_options& options) {
    const pattern bytes{options.message_bytes};
    const std::uint64_t before = options.server != 0 ? resident_bytes(options.server) : 0;
    if (options.server != 0 && before == 0)
        give_up(fmt::format("cannot read the memory of process {}", options.server));
    std::vector<socket_handle> peers;
    peers.reserve(options.connections);
    for (std::uint32_t id = 0; id < options.connections; ++id) {
        peers.emplace_back(options);
        exchange(options, peers.back(), bytes, id, 0);
    }
    std::this_thread::sleep_for(options.duration);
    const std::uint64_t after = options.server != 0 ? resident_bytes(options.server) : 0;
    // Idle is not dead: every connection must still answer.
    for (std::uint32_t id = 0; id < options.connections; ++id) exchange(options, peers[id], bytes, id, 1);

    const double grown = static_cast<double>(after) - static_cast<double>(before);
    json_line{}
        .add("mode", "idle")
        .add("connections", std::uint64_t{options.connections})
        .add("resident_bytes_before", before)
        .add("resident_bytes_after", after)
        .add("resident_bytes_each", grown / options.connections)
        .add("errors", std::uint64_t{0})
        .print();
}

}  // namespace bench
