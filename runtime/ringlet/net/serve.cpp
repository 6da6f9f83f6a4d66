// SPDX-License-Identifier: MIT
#include <ringlet/net/compact_endpoint.hpp>
#include <ringlet/net/error.hpp>
#include <ringlet/net/serve.hpp>

#include <cstdio>
#include <string>
#include <system_error>

namespace ringlet::net {
namespace {

bool is_normal_life(const std::exception_ptr& why) {
    try {
        std::rethrow_exception(why);
    } catch (const std::system_error& error) {
        return is_disconnect(error.code());
    } catch (...) {
        return false;
    }
}

}  // namespace

namespace detail {
namespace {

// A job without a function of its own that knows the peer, for reports.
struct connection_block : ringlet::detail::job_state<void> {
    static void destroy(job_block* block) noexcept {
        auto* self = static_cast<connection_block*>(block);
        std::destroy_at(self);
        ringlet::detail::frame_pool::release(self, sizeof(connection_block));
    }
    static constexpr ringlet::detail::job_type type{ringlet::detail::finish_root<void>, &destroy};

    connection_block() noexcept : job_state<void>{&type} {}
    compact_endpoint peer;
};
static_assert(sizeof(connection_block) == sizeof(job_block), "ten thousand idle connections pay for every byte");

}  // namespace

class connections::room_wait final : public leaf<room_wait, void> {
public:
    explicit room_wait(connections& all) noexcept : all_{&all} {}
    static constexpr std::string_view name = "room for one more connection";
    bool start(job_block& job) noexcept {
        all_->wants_room_ = &job;
        job.wait_object = all_;
        job.waiting = &kind;
        return true;
    }
    result<void> outcome(job_block&) const noexcept { return {}; }

private:
    static void cancel(job_block& job) noexcept {
        static_cast<connections*>(job.wait_object)->wants_room_ = nullptr;
        job.res = ringlet::detail::wait_cancelled;
        ringlet::detail::this_thread_scheduler->make_ready(job);
    }
    static constexpr ringlet::detail::wait_kind kind{.name = name, .cancel = &cancel, .describe = nullptr};
    connections* all_;
};

connections::connections(serve_options options)
    : job_group{ringlet::detail::current_scheduler(), policy::first_cancels}, options_{std::move(options)} {
    on_ended = &ended;
}

void connections::ended(job_group& group, job_block& job) noexcept {
    auto& self = static_cast<connections&>(group);
    if (self.wants_room_) self.owner().make_ready(*std::exchange(self.wants_room_, nullptr));
    if (job.failure && !ringlet::detail::is_cancelled(job.failure))
        self.failed(static_cast<connection_block&>(job).peer.get(), job.failure);
    ringlet::detail::drop_chain(job);  // it was told: else the failures of clients long gone would be kept
}

task<bool> connections::room() {
    drain* const until = options_.until;
    while (full()) {
        if (until) {
            const bool room = co_await until->unless_begun(room_wait{*this});
            if (!room) co_return false;
        } else {
            co_await room_wait{*this};
        }
    }
    co_return true;
}

void connections::start(task<> handler, const endpoint& peer) {
    auto block = ringlet::detail::make_block<connection_block>();
    block->peer = compact_endpoint{peer};
    [[maybe_unused]] const job<> dropped =
        ringlet::detail::start_job<void>(*this, *block.release(), std::move(handler));
}

// A report that cannot be made ends nothing: not the other connections, when standard error is full or gone.
void connections::failed(const endpoint& peer, const std::exception_ptr& why) const noexcept {
    try {
        if (options_.on_failure) {
            options_.on_failure(peer, why);
        } else if (!is_normal_life(why)) {
            const std::string text = fmt::format("connection from {}: {}\n", peer, ringlet::detail::describe(why));
            std::fwrite(text.data(), 1, text.size(), stderr);
        }
    } catch (...) {
    }
}

}  // namespace detail
}  // namespace ringlet::net
