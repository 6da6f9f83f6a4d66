// SPDX-License-Identifier: MIT
#include <ringlet/core/error.hpp>
#include <ringlet/core/frame_pool.hpp>
#include <ringlet/io/buffer_ring.hpp>
#include <ringlet/testing/detail/allocation.hpp>
#include <ringlet/testing/detail/kernel.hpp>
#include <ringlet/testing/simulation.hpp>

#include <fmt/format.h>

namespace ringlet::testing {

using ringlet::detail::frame_pool;
using ringlet::detail::require;

namespace {

// Where a leak checker finds it.
void keep_for_ever(std::unique_ptr<loop> broken) {
    static auto& all = *new std::vector<loop*>;
    all.push_back(broken.release());
}

}  // namespace

struct simulation::state {
    state(std::uint64_t seed, const fault_plan& faults) : all{seed, faults}, system{all} {}

    detail::world all;
    detail::kernel system;
    std::map<int, std::string> before = system.open_descriptors();
    std::int64_t frames_before = frame_pool::live_count();
    sim_engine* engine = nullptr;
};

simulation::simulation(std::uint64_t seed, const fault_plan& faults) : state_{std::make_unique<state>(seed, faults)} {
    require(io::sys::simulated == nullptr, "a thread has one simulation at a time: end the other before this begins");
    require(frame_pool::live_count() == 0, "a simulation begins before the tasks that run in it are made");
    io::sys::simulated = &state_->system;
    frame_pool& pool = ringlet::detail::this_thread_pool;
    pool.pooled_classes = 0;
    pool.watch = [] { detail::this_thread_allocations.frame(); };
}

simulation::~simulation() {
    state_->system.end_input();
    io::sys::simulated = nullptr;
    frame_pool& pool = ringlet::detail::this_thread_pool;
    pool.watch = nullptr;
    // What is left behind was reported; where it was made it is freed.
    if (pool.live == 0) pool.pooled_classes = RINGLET_DETAIL_FRAME_POOL ? frame_pool::classes : 0;
}

void simulation::begin_run() {
    require(loop_ == nullptr, "a simulation runs one task at a time");
    loop_options options;
    options.batch_max = 1;
    options.ring = {.sq_entries = 64, .cq_entries = 256};
    auto engine = std::make_unique<sim_engine>(state_->all, state_->system, options.ring);
    state_->engine = engine.get();
    engine->fail(planned_);
    engine->on_enter(on_turn_);
    loop_ = std::make_unique<loop>(std::move(engine), options);
    auto& faults = detail::this_thread_allocations;
    faults = {.failing = failing_allocation_, .seed = &state_->all, .armed = true};
}

void simulation::end_run(bool with_descriptors) {
    auto& faults = detail::this_thread_allocations;
    allocations_ = faults.seen;
    faults = {};
    operations_ = state_->engine->operations();
    turns_ = state_->engine->enters();
    state_->engine->look_at_returned_buffers();
    // Whoever gave back one that was not his leaves fewer than none.
    const auto leased = static_cast<int>(static_cast<unsigned>(loop_->leased_buffers()));
    if (leased < 0) state_->all.violated("a buffer was given back twice");
    if (leased > 0) state_->all.violated(fmt::format("{} buffers were not given back", leased));
    if (loop_->in_flight() != 0)
        state_->all.violated(fmt::format("{} operations are in flight after the run", loop_->in_flight()));
    // A lease may yet be given back: what it leads to stays, and so does the report in place of an abort.
    if (leased != 0)
        keep_for_ever(std::move(loop_));
    else
        loop_.reset();
    state_->engine = nullptr;
    if (const auto frames = frame_pool::live_count() - state_->frames_before; frames != 0 && with_descriptors)
        state_->all.violated(fmt::format("{} frames or job blocks are alive after the run", frames));
    if (with_descriptors)
        check();
    else if (!state_->all.violation().empty())
        raise(state_->all.violation());
}

void simulation::check() const {
    if (!state_->all.violation().empty()) raise(state_->all.violation());
    for (const auto& [fd, what] : state_->system.open_descriptors())
        if (!state_->before.contains(fd)) raise(fmt::format("descriptor {} is still open: {}", fd, what));
}

void simulation::raise(const std::string& what) const { throw broken_invariant{what + " (" + where() + ")"}; }

std::string simulation::where() const {
    return fmt::format("seed {}, step {}", state_->all.seed(), state_->all.steps());
}

// What a test asks of the world is no matter of the failing allocations, also while the task runs.
void simulation::write_file(std::string_view path, std::string_view content) {
    const detail::no_allocation_faults quiet;
    state_->system.files().put(path, content);
}
std::optional<std::string> simulation::read_file(std::string_view path) const {
    const detail::no_allocation_faults quiet;
    return state_->system.files().get(path);
}
std::vector<std::string> simulation::list(std::string_view directory) const {
    const detail::no_allocation_faults quiet;
    return state_->system.files().names(directory);
}
void simulation::set_disk_bytes(std::uint64_t bytes) noexcept { state_->system.files().set_capacity(bytes); }
void simulation::set_descriptors_max(std::size_t count) noexcept { state_->system.set_descriptors_max(count); }
void simulation::type(std::string_view text) {
    const detail::no_allocation_faults quiet;
    state_->system.type(text);
}
void simulation::end_input() {
    const detail::no_allocation_faults quiet;
    state_->system.end_input();
}
const std::string& simulation::output() const { return state_->system.output(1).text(); }
const std::string& simulation::errors() const { return state_->system.output(2).text(); }
void simulation::signal(int number) {
    const detail::no_allocation_faults quiet;
    state_->system.signal_state().raise(number);
}
void simulation::after(std::chrono::nanoseconds delay, std::function<void()> what) {
    const detail::no_allocation_faults quiet;
    state_->all.after(delay, std::move(what));
}

std::uint64_t simulation::seed() const noexcept { return state_->all.seed(); }
std::chrono::nanoseconds simulation::now() const noexcept { return state_->all.now().time_since_epoch(); }
std::uint64_t simulation::steps() const noexcept { return state_->all.steps(); }
std::uint64_t simulation::trace() const noexcept { return state_->all.trace(); }
const fault_counts& simulation::faults() const noexcept { return state_->all.counts(); }

}  // namespace ringlet::testing
