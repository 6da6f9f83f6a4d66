// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/plain_writer.hpp>
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace ringlet {
namespace detail {
namespace {

// "outer" of "ringlet::task<> outer(int)" (clang), "outer(_ZN5outerEi.Frame*)" (g++ 12) and "task<void> outer(int)";
// "service::start" of "task<> service<int (*)(char)>::start()": template arguments may be long, and say little.
template <class Text>
void put_name_of_function(std::string_view signature, Text& name) {
    constexpr std::string_view anonymous = "(anonymous";
    int depth = 0;
    for (std::size_t i = 0; i < signature.size(); ++i) {
        const char c = signature[i];
        if (depth == 0 && signature.substr(i).starts_with(anonymous)) {
            const std::size_t end = std::min(signature.find(')', i), signature.size() - 1);
            name += signature.substr(i, end + 1 - i);
            i = end;
        } else if (c == '<' || (c == '(' && depth > 0)) {
            ++depth;
        } else if (depth > 0) {
            if (c == '>' || c == ')') --depth;
        } else if (c == '(') {
            break;
        } else if (c == ' ') {
            name.clear();
        } else {
            name += c;
        }
    }
}
std::string name_of_function(std::string_view signature) {
    std::string name;
    put_name_of_function(signature, name);
    return name;
}

void describe_await(std::coroutine_handle<> frame, std::string_view word, std::string& out) {
    const std::source_location where = await_site(frame);
    if (where.line() == 0) return;
    out += fmt::format("{}{}:{} in {}", word, where.file_name(), where.line(), name_of_function(where.function_name()));
}

std::coroutine_handle<> outer_of(std::coroutine_handle<> frame) noexcept {
    const auto outer = std::coroutine_handle<promise_base>::from_address(frame.address()).promise().continuation;
    return outer == scheduler::end_of_job() ? nullptr : outer;
}

constexpr std::size_t awaits_shown_max = 32;

void describe(const job_block& job, const std::string& indent, std::string& out) {
    out += indent;
    out += label_of(job);
    if (!job.has(job_block::started)) {
        out += ": not started\n";
        return;
    }
    if (!job.waiting) {
        out += &job == this_thread_scheduler->current_job() ? ": runs\n" : ": ready to run\n";
        return;
    }
    out += fmt::format(": waits for {}", job.waiting->name);
    if (job.waiting->describe) job.waiting->describe(job, out);
    const std::uint32_t since = this_thread_scheduler->now_ms - job.cqe_flags;
    if (since >= 100) out += fmt::format(" for {}.{} s", since / 1000, since / 100 % 10);
    describe_await(job.resume_point, " at ", out);
    out += '\n';
    std::size_t shown = 1;
    for (auto frame = outer_of(job.resume_point); frame; frame = outer_of(frame)) {
        if (++shown > awaits_shown_max) continue;
        out += indent;
        describe_await(frame, "    from ", out);
        out += '\n';
    }
    if (shown > awaits_shown_max) out += fmt::format("{}    and {} more\n", indent, shown - awaits_shown_max);
}

// --- where failures came from ---

// The chains of jobs that run, and of failures that have outlived their jobs' blocks: few, since each keeps its exception
// alive, and what that owns. Those of jobs that have failed are with their blocks, however many there are.
struct unwinding_slot {
    unwinding* chain = nullptr;
    const job_block* job = nullptr;  // whose end releases it; none: it stays until others push it out
};
constinit thread_local std::array<unwinding_slot, 8> unwindings{};
// Those with the blocks, to be found by the exception.
constinit thread_local std::array<unwinding*, 64> kept_chains{};
constinit thread_local std::uint64_t last_stamp = 0;
constinit thread_local bool thread_ends = false;

}  // namespace

struct unwinding {
    std::exception_ptr exception;        // kept: else another exception could come to stand at its address
    const job_block* seen_by = nullptr;  // of one with a block: the job that looked at it last, and may throw it on
    std::uint64_t stamp = 0;             // the greater, the later it was changed or looked at
    unwinding* next_in_bucket = nullptr;
    std::size_t passed = 0;
    std::array<std::source_location, awaits_shown_max> sites;
};

namespace {

unwinding*& bucket_of(const std::exception_ptr& failure) noexcept {
    static_assert(sizeof failure == sizeof(void*));
    std::uintptr_t address = 0;
    std::memcpy(&address, &failure, sizeof address);
    return kept_chains[(address >> 4 ^ address >> 10) % kept_chains.size()];
}

void append(unwinding& chain, const std::source_location& site) noexcept {
    if (chain.passed < chain.sites.size()) chain.sites[chain.passed] = site;
    ++chain.passed;
}

const job_block* running() noexcept { return this_thread_scheduler ? this_thread_scheduler->current_job() : nullptr; }

unwinding_slot* slot_of(const std::exception_ptr& failure, const job_block* job) noexcept {
    for (unwinding_slot& slot : unwindings)
        if (slot.chain && slot.job == job && slot.chain->exception == failure) return &slot;
    return nullptr;
}

// Of the chains of `failure` that are with the blocks of jobs, the one that `job` saw last.
unwinding* kept_and_seen_by(const std::exception_ptr& failure, const job_block* job) noexcept {
    unwinding* found = nullptr;
    for (unwinding* i = bucket_of(failure); i; i = i->next_in_bucket)
        if (i->exception == failure && i->seen_by == job && (!found || found->stamp < i->stamp)) found = i;
    return found;
}

void put_into_slot(unwinding* chain, const job_block* job) noexcept {
    static thread_local const struct release_at_end {
        ~release_at_end() {
            thread_ends = true;
            for (unwinding_slot& slot : unwindings) delete std::exchange(slot.chain, nullptr);
        }
    } at_end;
    unwinding_slot* place = unwindings.data();
    for (unwinding_slot& slot : unwindings) {
        if (!slot.chain) {
            place = &slot;
            break;
        }
        if (slot.chain->stamp < place->chain->stamp) place = &slot;
    }
    unwinding* const pushed_out = std::exchange(place->chain, chain);
    place->job = job;
    if (job && this_thread_scheduler) this_thread_scheduler->unwound = true;
    delete pushed_out;  // last: what an exception owns may be anything
}

// --- in a handler: no memory, no locks, no stdio ---

// As much of a text as there is room for.
class short_text {
public:
    void clear() noexcept { size_ = 0; }
    void operator+=(char c) noexcept {
        if (size_ < text_.size()) text_[size_++] = c;
    }
    void operator+=(std::string_view more) noexcept {
        for (const char c : more) *this += c;
    }
    std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 200> text_;
    std::size_t size_ = 0;
};

void await_in_handler(const plain_writer& out, std::coroutine_handle<> frame, std::string_view word) noexcept {
    const std::source_location where = await_site(frame);
    if (where.line() == 0) return;
    out.text(word);
    out.text(where.file_name());
    out.text(":");
    out.number(where.line());
    short_text name;
    put_name_of_function(where.function_name(), name);
    out.text(" in ");
    out.text(name.view());
}

// The lists of groups and jobs, perhaps broken: a walk takes so many steps, and leaves a list that is not linked well.
class careful_walk {
public:
    explicit careful_walk(std::size_t steps) noexcept : left_{steps} {}
    list_link* next(const list_link& of, const list_link& end) noexcept {
        list_link* const found = of.next;
        if (found == &end) return nullptr;
        if (!found || left_ == 0 || found->prev != &of) {
            broken_off_ = true;
            return nullptr;
        }
        --left_;
        return found;
    }
    bool broken_off() const noexcept { return broken_off_; }

private:
    std::size_t left_;
    bool broken_off_ = false;
};

constexpr std::size_t steps_in_handler_max = 20'000'000;
constexpr int jobs_shown_in_handler_max = 1000;

}  // namespace

void plain_writer::label(const job_block& job) const noexcept {
    if (job.name) {
        text(*job.name);
    } else {
        text("job 0x");
        number(reinterpret_cast<std::uintptr_t>(&job), 16);
    }
}

std::string label_of(const job_block& job) { return job.name ? *job.name : fmt::format("job {}", fmt::ptr(&job)); }

void note_unwound(const std::exception_ptr& failure, const std::source_location& site) noexcept {
    if (is_cancelled(failure) || thread_ends)
        return;  // no failure, and many may come of one: they would push others out
    // Several jobs may get one exception, as from an async_result: each has its own chain of it. Only what a job got from
    // another job goes on with the chain of that one.
    const job_block* const job = running();
    const unwinding_slot* const slot = slot_of(failure, job);
    unwinding* chain = slot ? slot->chain : nullptr;
    const unwinding* const from = kept_and_seen_by(failure, job);
    const bool goes_on = chain && (!from || from->stamp < chain->stamp);
    if (!chain) {
        chain = new (std::nothrow) unwinding;
        if (!chain) return;  // the failure is what matters
        chain->exception = failure;
    }
    if (!goes_on && from) {
        chain->passed = from->passed;
        chain->sites = from->sites;
    }
    append(*chain, site);
    chain->stamp = ++last_stamp;
    if (!slot) put_into_slot(chain, job);
}

void settle_chains(job_block& job) noexcept {
    scheduler& loop = *this_thread_scheduler;
    loop.unwound = false;
    for (unwinding_slot& slot : unwindings) {
        if (!slot.chain || !slot.job) continue;
        if (slot.job != &job) {
            loop.unwound = true;
            continue;
        }
        unwinding* const chain = std::exchange(slot.chain, nullptr);
        if (!job.failure || chain->exception != job.failure) {
            delete chain;  // it was handled
            continue;
        }
        chain->seen_by = job.group->parent();  // it fails its group, perhaps
        chain->stamp = ++last_stamp;
        chain->next_in_bucket = std::exchange(bucket_of(chain->exception), chain);
        job.chain = chain;
        job.set(job_block::has_chain);
    }
}

void chain_seen(job_block& job) noexcept {
    job.chain->seen_by = running();
    job.chain->stamp = ++last_stamp;
}

namespace {

unwinding* take_chain(job_block& job) noexcept {
    job.clear(job_block::has_chain);
    unwinding* const chain = std::exchange(job.chain, nullptr);
    // A handle that has outlived its thread is in no bucket of this one.
    for (unwinding** i = &bucket_of(chain->exception); *i; i = &(*i)->next_in_bucket) {
        if (*i != chain) continue;
        *i = chain->next_in_bucket;
        break;
    }
    return chain;
}

}  // namespace

void drop_chain(job_block& job) noexcept {
    if (job.has(job_block::has_chain)) delete take_chain(job);
}

void leave_chain(job_block& job) noexcept {
    unwinding* chain = take_chain(job);
    const job_block* const heir = chain->seen_by;
    if (unwinding_slot* const slot = slot_of(chain->exception, heir)) {
        if (slot->chain->stamp < chain->stamp) std::swap(slot->chain, chain);
        delete chain;
    } else if (thread_ends) {
        delete chain;
    } else {
        put_into_slot(chain, heir);
    }
}

namespace {

bool is_alive(const job_block* job, careful_walk& walk) noexcept {
    list_link& groups = this_thread_scheduler->groups();
    for (list_link* g = walk.next(groups, groups); g; g = walk.next(*g, groups)) {
        list_link& jobs = job_group::from_registry_link(*g).jobs();
        for (list_link* j = walk.next(jobs, jobs); j; j = walk.next(*j, jobs))
            if (&job_block::from_group_link(*j) == job) return true;
    }
    return false;
}

void describe_in_handler(const job_block& job, std::size_t depth, const plain_writer& out) noexcept {
    const auto indent = [&] {
        for (std::size_t i = 0; i < depth; ++i) out.text("  ");
    };
    const scheduler& loop = *this_thread_scheduler;
    indent();
    out.label(job);
    if (!job.has(job_block::started)) {
        out.text(": not started\n");
        return;
    }
    if (!job.waiting) {
        out.text(&job == loop.current_job() ? ": runs\n" : ": ready to run\n");
        return;
    }
    out.text(": waits for ");
    out.text(job.waiting->name);
    if (job.waiting->describe_in_handler) job.waiting->describe_in_handler(job, out);
    const std::uint32_t since = loop.now_ms - job.cqe_flags;
    if (since >= 100) {
        out.text(" for ");
        out.number(since / 1000);
        out.text(".");
        out.number(since / 100 % 10);
        out.text(" s");
    }
    std::size_t shown = 0;
    for (auto frame = job.resume_point; frame && shown < awaits_shown_max; frame = outer_of(frame), ++shown) {
        if (shown > 0) indent();
        await_in_handler(out, frame, shown == 0 ? " at " : "    from ");
        out.text("\n");
    }
}

}  // namespace

bool is_alive(const job_block* job) noexcept {
    careful_walk walk{steps_in_handler_max};
    return is_alive(job, walk);
}

void print_tasks_in_handler(int fd) noexcept {
    if (!this_thread_scheduler) return;
    const plain_writer out{fd};
    out.text("ringlet: the jobs of this loop:\n");
    list_link& groups = this_thread_scheduler->groups();
    careful_walk walk{steps_in_handler_max};
    // Where it stands at each depth: in a group, at a job of it. Deeper groups than these are not shown.
    struct level {
        list_link* group;
        list_link* job;
    };
    constexpr std::size_t depth_max = 20;
    std::array<level, depth_max> open;
    int left = jobs_shown_in_handler_max;
    // The jobs of the groups that `parent` made or, `as_orphans`, of those whose maker has ended, and what is under them.
    const auto show = [&](bool as_orphans) {
        const auto next_group = [&](list_link* from, const job_block* parent) -> list_link* {
            for (list_link* g = walk.next(*from, groups); g; g = walk.next(*g, groups)) {
                const job_block* const maker = job_group::from_registry_link(*g).parent();
                if (parent || !as_orphans ? maker == parent : maker && !is_alive(maker, walk)) return g;
            }
            return nullptr;
        };
        std::size_t depth = 0;
        open[0] = {next_group(&groups, nullptr), nullptr};
        while (left > 0) {
            level& here = open[depth];
            if (!here.group) {
                if (depth-- == 0) return;
                continue;
            }
            list_link& jobs = job_group::from_registry_link(*here.group).jobs();
            here.job = walk.next(here.job ? *here.job : jobs, jobs);
            if (!here.job) {
                const job_block* const parent = depth > 0 ? &job_block::from_group_link(*open[depth - 1].job) : nullptr;
                here.group = next_group(here.group, parent);
                continue;
            }
            --left;
            const job_block& job = job_block::from_group_link(*here.job);
            describe_in_handler(job, depth + 1, out);
            if (depth + 1 < depth_max) open[++depth] = {next_group(&groups, &job), nullptr};
        }
    };
    show(false);
    show(true);
    if (left == 0 || walk.broken_off()) out.text("  and more\n");
}

std::string scheduler::describe_jobs() const {
    std::multimap<const job_block*, job_group*> by_parent;
    for (list_link* g = groups_.next; g != &groups_; g = g->next) {
        job_group& group = job_group::from_registry_link(*g);
        by_parent.emplace(group.parent(), &group);
    }
    // Groups may be nested as deep as awaits are: no recursion, and no deeper indent than can be read.
    struct level {
        list_link* next;
        const list_link* end;
        std::size_t depth;
    };
    constexpr std::size_t depth_max = 20;
    std::string out;
    std::vector<level> open;
    const auto open_groups_of = [&](const job_block* parent, std::size_t depth) {
        for (auto i = by_parent.find(parent); i != by_parent.end() && i->first == parent; i = by_parent.erase(i))
            open.push_back({i->second->jobs().next, &i->second->jobs(), std::min(depth, depth_max)});
    };
    const auto describe_open = [&] {
        while (!open.empty()) {
            level& here = open.back();
            if (here.next == here.end) {
                open.pop_back();
                continue;
            }
            const job_block& job = job_block::from_group_link(*here.next);
            const std::size_t depth = here.depth;
            here.next = here.next->next;
            describe(job, std::string(2 * depth, ' '), out);
            open_groups_of(&job, depth + 1);
        }
    };
    open_groups_of(nullptr, 1);
    describe_open();
    // Those whose maker has ended before them.
    while (!by_parent.empty()) {
        open_groups_of(by_parent.begin()->first, 1);
        describe_open();
    }
    return out;
}

}  // namespace detail

std::string describe_tasks() {
    return detail::this_thread_scheduler ? detail::this_thread_scheduler->describe_jobs() : std::string{};
}

void print_tasks() {
    const std::string text = "ringlet: the jobs of this loop:\n" + describe_tasks();
    std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string await_chain(const std::exception_ptr& failure) {
    using namespace detail;
    std::string out;
    if (!failure) return out;
    // Several jobs may have failed with it: the one that this job saw last is meant, and else the last of all.
    const job_block* const job = running();
    const unwinding* found = nullptr;
    std::pair<bool, std::uint64_t> best;
    const auto consider = [&](const unwinding& chain, const job_block* of) {
        if (chain.exception != failure) return;
        const std::pair rank{of == job, chain.stamp};
        if (found && rank < best) return;
        found = &chain;
        best = rank;
    };
    for (const unwinding_slot& slot : unwindings)
        if (slot.chain) consider(*slot.chain, slot.job);
    for (const unwinding* i = bucket_of(failure); i; i = i->next_in_bucket) consider(*i, i->seen_by);
    if (!found) return out;
    const std::size_t known = std::min(found->passed, found->sites.size());
    for (std::size_t i = 0; i < known; ++i) {
        const std::source_location& site = found->sites[i];
        if (site.line() == 0) continue;  // it threw before it awaited anything
        out += fmt::format("  awaited at {}:{} in {}\n", site.file_name(), site.line(),
                           name_of_function(site.function_name()));
    }
    if (found->passed > known) out += fmt::format("  and {} more\n", found->passed - known);
    return out;
}

}  // namespace ringlet
