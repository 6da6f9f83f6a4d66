// SPDX-License-Identifier: MIT
#include "serve/clients.hpp"

#include "common/numbers.hpp"

#include <fmt/format.h>

#include <netinet/in.h>

namespace serve {
namespace {

// Of IPv6 the network of 64 bits, all of whose addresses one client may have.
std::string key_of(const ringlet::net::endpoint& peer) {
    if (peer.is_v4()) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer.address());
        return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof v4.sin_addr};
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer.address()).sin6_addr;
    const auto* bytes = reinterpret_cast<const char*>(&v6);
    return IN6_IS_ADDR_V4MAPPED(&v6) ? std::string{bytes + 12, 4} : std::string{bytes, 8};
}

}  // namespace

std::optional<clients_by_address::place> clients_by_address::enter(const ringlet::net::tcp_stream& stream) {
    place out;
    if (each_max_ == 0) return out;
    counts::value_type& count = *now_.try_emplace(key_of(stream.peer_endpoint())).first;
    if (count.second >= each_max_) return std::nullopt;
    ++count.second;
    out.of_ = this;
    out.count_ = &count;
    return out;
}

clients_by_address::place::~place() {
    if (of_ == nullptr || --count_->second > 0) return;
    of_->now_.erase(of_->now_.find(count_->first));
}

std::string summary(const totals& all) {
    const auto plural = [](std::uint64_t n) { return n == 1 ? "" : "s"; };
    return fmt::format("{} request{} on {} connection{}, {} sent", all.requests, plural(all.requests), all.connections,
                       plural(all.connections), apps::format_size(all.body_bytes));
}

}  // namespace serve
