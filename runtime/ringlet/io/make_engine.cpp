// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>
#include <ringlet/io/engine.hpp>
#include <ringlet/io/epoll_engine.hpp>

#include <cstdlib>
#include <string>
#include <utility>

namespace ringlet::io {
namespace {

chosen_engine choose(const ring_sizes& sizes) {
    const char* const forced = std::getenv("RINGLET_ENGINE");
    const std::string_view wish = forced ? forced : "";
    if (wish == "uring") return {make_uring_engine(sizes), "RINGLET_ENGINE asks for it"};
    if (wish == "epoll") return {std::make_unique<epoll_engine>(sizes), "RINGLET_ENGINE asks for it"};
    if (!wish.empty()) throw usage_error{"RINGLET_ENGINE is \"" + std::string{wish} + "\"; it can be uring or epoll"};
    try {
        return {make_uring_engine(sizes), "the kernel offers it"};
    } catch (const engine_unavailable& denied) {
        return {std::make_unique<epoll_engine>(sizes), denied.what()};
    }
}

}  // namespace

chosen_engine make_engine(const ring_sizes& sizes) {
    ringlet::detail::require(sizes.sq_entries > 0 && sizes.cq_entries >= sizes.sq_entries,
                             "ring_sizes: there must be SQ entries, and at least as many CQ entries");
    chosen_engine engine = choose(sizes);
    if (detail::decorate_engine) engine.chosen = detail::decorate_engine(std::move(engine.chosen));
    return engine;
}

}  // namespace ringlet::io
