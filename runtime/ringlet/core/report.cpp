// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace ringlet {
namespace detail {
namespace {

// "outer" of "ringlet::task<> outer(int)" (clang), "outer(_ZN5outerEi.Frame*)" (g++ 12) and "task<void> outer(int)";
// "service::start" of "task<> service<int (*)(char)>::start()": template arguments may be long, and say little.
std::string name_of_function(std::string_view signature) {
    constexpr std::string_view anonymous = "(anonymous";
    std::string name;
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

struct plain_writer {
    int fd;
    void text(std::string_view what) const noexcept {
        while (!what.empty()) {
            const ssize_t n = ::write(fd, what.data(), what.size());  // lint-ok: a handler's, of the real process
            if (n <= 0) return;
            what.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    void number(std::uint64_t value) const noexcept {
        std::array<char, 24> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        text({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    void await(std::coroutine_handle<> frame, std::string_view word) const noexcept {
        const std::source_location where = await_site(frame);
        if (where.line() == 0) return;
        text(word);
        text(where.file_name());
        text(":");
        number(where.line());
        text("\n");
    }
};

constexpr int jobs_shown_in_handler_max = 1000;

}  // namespace

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

void print_tasks_in_handler(int fd) noexcept {
    const scheduler* const loop = this_thread_scheduler;
    if (!loop) return;
    const plain_writer out{fd};
    out.text("ringlet: the jobs of this loop:\n");
    int left = jobs_shown_in_handler_max;
    auto& groups = const_cast<scheduler*>(loop)->groups();
    for (list_link* g = groups.next; g != &groups && left > 0; g = g->next) {
        list_link& jobs = job_group::from_registry_link(*g).jobs();
        for (list_link* l = jobs.next; l != &jobs && left > 0; l = l->next, --left) {
            const job_block& job = job_block::from_group_link(*l);
            out.text("  ");
            out.text(job.name ? std::string_view{*job.name} : "a job");
            if (&job == loop->current_job()) out.text(": runs");
            if (!job.has(job_block::started) || !job.waiting) {
                out.text("\n");
                continue;
            }
            out.text(": waits for ");
            out.text(job.waiting->name);
            out.text("\n");
            std::size_t shown = 0;
            for (auto frame = job.resume_point; frame && shown < awaits_shown_max; frame = outer_of(frame), ++shown)
                out.await(frame, shown == 0 ? "    at " : "    from ");
        }
    }
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
