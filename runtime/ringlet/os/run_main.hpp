// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/os/signal.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ringlet {

/// The words of a command line after the program's name. Refers to strings that live as long as run_main.
class arguments {
public:
    arguments(std::string_view program, const std::vector<std::string>& words) noexcept
        : program_{program}, words_{&words} {}

    /// The program's name without its directory.
    std::string_view program() const noexcept { return program_; }

    std::size_t size() const noexcept { return words_->size(); }
    bool empty() const noexcept { return words_->empty(); }
    const std::string& operator[](std::size_t i) const noexcept { return (*words_)[i]; }
    auto begin() const noexcept { return words_->begin(); }
    auto end() const noexcept { return words_->end(); }
    const std::vector<std::string>& words() const noexcept { return *words_; }

private:
    std::string_view program_;
    const std::vector<std::string>* words_;
};

/// Runs a task on a new loop of this thread, to its end and that of every job it spawned. See io::loop::run.
/// A job may fork(2). The child must not await or return to the loop that it was forked from: it may run a new one, and
/// ends by _exit(2) or exec.
template <class T>
T run(task<T> main) {
    io::loop here;
    return here.run(std::move(main));
}

namespace os::detail {

// A coroutine that calls the function, because the loop must run before a coroutine function is called with references.
// The function by pointer: a closure as the first parameter would be taken for the coroutine's own, which must not capture.
template <class F, class... Args>
auto call(F* function, Args&... args) -> std::invoke_result_t<F&, Args&...> {
    using T = typename std::invoke_result_t<F&, Args&...>::value_type;
    if constexpr (std::is_void_v<T>)
        co_await std::invoke(*function, args...);
    else
        co_return co_await std::invoke(*function, args...);
}

/// Prints what went wrong and gives the exit status. To be called in a catch block.
int report_failure(std::string_view program) noexcept;
/// Writes out what stdio holds; gives the exit status.
int finish_output(std::string_view program, int status) noexcept;
std::string_view program_name(const char* path) noexcept;
void ignore_broken_pipes() noexcept;
/// SIGUSR1 makes each loop of the process print its jobs, and a crash prints them in short before the program dies of it. Signals that
/// have another action already keep it.
void install_reports() noexcept;
/// Standard input, output and error that were closed become /dev/null. Else what is opened first takes their place, and
/// gets what is printed.
void open_standard_streams() noexcept;

}  // namespace os::detail

/// Runs `function(args...)`, a coroutine function, on a new loop of this thread. Otherwise as `run(task)`.
template <class F, class... Args>
    requires std::invocable<F&, Args&...>
auto run(F function, Args... args) {
    io::loop here;
    return here.run(os::detail::call(&function, args...));
}

/// The body of main(): runs `function(arguments)`, a coroutine function that returns task<> or task<int>, on a new loop. A
/// function that returns nothing is called without one: it may run loops of its own, one after the other.
///
/// Result:    the exit status: what the task gives, 0 for task<> and void. A failure is printed on standard error as
///            "program: what went wrong" and gives 1; usage_error points to --help and gives 2; a task that ended by
///            cancellation gives 130. Standard output that cannot be written is a failure; one that nobody reads any
///            more (EPIPE) gives 141 without a word, as the signal would.
/// Errors:    none are thrown.
/// Thread:    the caller's becomes the loop's. SIGPIPE is ignored from here on; SIGUSR1 prints the jobs of every thread's loop (print_tasks), and
///            so does a crash, in short; of the three standard streams, those that are closed become /dev/null.
/// With RINGLET_AWAIT_CHAINS in the environment a failure is followed by the awaits that it passed.
template <class F>
    requires std::invocable<F&, arguments&>
int run_main(int argc, char** argv, F function, const io::loop_options& options = io::loop_options()) {
    const std::string_view program = os::detail::program_name(argc > 0 ? argv[0] : nullptr);
    os::detail::open_standard_streams();
    os::detail::ignore_broken_pipes();
    os::detail::install_reports();
    int status = 0;
    try {
        const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
        arguments given{program, words};
        if constexpr (std::is_void_v<std::invoke_result_t<F&, arguments&>>) {
            std::invoke(function, given);
        } else {
            io::loop here{options};
            if constexpr (std::is_void_v<typename std::invoke_result_t<F&, arguments&>::value_type>)
                here.run(os::detail::call(&function, given));
            else
                status = here.run(os::detail::call(&function, given));
        }
    } catch (...) {
        status = os::detail::report_failure(program);
    }
    return os::detail::finish_output(program, status);
}

}  // namespace ringlet
