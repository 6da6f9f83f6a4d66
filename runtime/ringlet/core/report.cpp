// SPDX-License-Identifier: MIT
#include <ringlet/core/detail/promise.hpp>
#include <ringlet/core/report.hpp>
#include <ringlet/core/scheduler.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <string_view>
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

struct unwinding {
    std::exception_ptr exception;  // kept: else another exception could come to stand at its address
    std::size_t passed = 0;
    std::array<std::source_location, awaits_shown_max> sites;
};
// The last few: a failure may wait in its job while others pass.
thread_local std::array<unwinding, 8> unwindings;
thread_local std::size_t next_unwinding = 0;

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
    if (is_cancelled(failure)) return;  // no failure, and many may come of one: they would push that out
    auto found = std::ranges::find(unwindings, failure, &unwinding::exception);
    if (found == unwindings.end()) {
        found = unwindings.begin() + static_cast<std::ptrdiff_t>(next_unwinding++ % unwindings.size());
        found->exception = failure;
        found->passed = 0;
    }
    if (found->passed < found->sites.size()) found->sites[found->passed] = site;
    ++found->passed;
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
    const auto found = std::ranges::find(unwindings, failure, &unwinding::exception);
    std::string out;
    if (!failure || found == unwindings.end()) return out;
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
