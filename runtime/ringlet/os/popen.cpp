// SPDX-License-Identifier: MIT
#include <ringlet/core/combinators.hpp>
#include <ringlet/io/system_calls.hpp>
#include <ringlet/os/popen.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/signal.hpp>

#include <array>
#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace ringlet::os {
namespace {

void check(int error, const char* what) {
    if (error != 0) throw std::system_error{error, std::generic_category(), what};
}

class file_actions {
public:
    file_actions() { check(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
    file_actions(const file_actions&) = delete;
    file_actions& operator=(const file_actions&) = delete;
    ~file_actions() { ::posix_spawn_file_actions_destroy(&actions_); }
    posix_spawn_file_actions_t* get() noexcept { return &actions_; }

    void copy(int from, int to) { check(::posix_spawn_file_actions_adddup2(&actions_, from, to), "dup2"); }
    void open_null(int to) {
        check(::posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", to == 0 ? O_RDONLY : O_WRONLY, 0), "open");
    }
    void change_directory(const std::string& path) {
        check(::posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()), "chdir");
    }
    void close_from_3() {
#if __GLIBC_PREREQ(2, 34)
        check(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3), "closefrom");
#endif
    }

private:
    posix_spawn_file_actions_t actions_;
};

class attributes {
public:
    explicit attributes(bool own_group) {
        check(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
        // What this library blocks here is not blocked there, and SIGPIPE, ignored by run_main, ends a pipeline again.
        sigset_t now;
        io::sys::pthread_sigmask(SIG_BLOCK, nullptr, &now);
        const sigset_t mask = detail::mask_for_children(now);
        const signal_set defaults{SIGPIPE};
        ::posix_spawnattr_setsigmask(&attributes_, &mask);
        ::posix_spawnattr_setsigdefault(&attributes_, &defaults.bits());
        const int group = own_group ? POSIX_SPAWN_SETPGROUP : 0;
        ::posix_spawnattr_setflags(&attributes_,
                                   static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
    }
    attributes(const attributes&) = delete;
    attributes& operator=(const attributes&) = delete;
    ~attributes() { ::posix_spawnattr_destroy(&attributes_); }
    const posix_spawnattr_t* get() const noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
    std::vector<char*> all;
    for (const auto& word : words) all.push_back(const_cast<char*>(word.c_str()));
    all.push_back(nullptr);
    return all;
}

// A descriptor that is a standard stream's own number, or will be overwritten before it is copied, is copied away first.
io::owned_fd away_from_stdio(int fd) {
    io::owned_fd copy{io::sys::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    if (!copy) throw std::system_error{errno, std::generic_category(), io::detail::describe_fd(fd)};
    return copy;
}

struct pipe_ends {
    io::owned_fd read;
    io::owned_fd write;
};

pipe_ends make_pipe() {
    std::array<int, 2> fds{};
    if (io::sys::pipe2(fds.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe2"};
    pipe_ends ends{io::owned_fd{fds[0]}, io::owned_fd{fds[1]}};
    // Where 0, 1 or 2 is closed here, a pipe would get its number.
    if (ends.read.get() < 3) ends.read = away_from_stdio(ends.read.get());
    if (ends.write.get() < 3) ends.write = away_from_stdio(ends.write.get());
    return ends;
}

// To exec(2) it would be the end of the word, and what follows lost.
void refuse_zero_byte(std::string_view word, const std::string& which) {
    if (word.find('\0') != word.npos) throw std::invalid_argument{"popen: " + which + " has a zero byte in it"};
}

void refuse_zero_bytes(const std::vector<std::string>& command, const popen_options& options) {
    for (std::size_t i = 0; i < command.size(); ++i)
        refuse_zero_byte(command[i], i == 0 ? "the program's name" : "argument " + std::to_string(i));
    if (options.directory) refuse_zero_byte(*options.directory, "the directory");
    if (!options.environment) return;
    for (const std::string& entry : *options.environment)
        refuse_zero_byte(
            entry, "'" + entry.substr(0, entry.find_first_of(std::string_view{"=\0", 2})) + "' of the environment");
}

void ignore_broken_pipes_by_default() noexcept {
    struct sigaction now{};
    if (io::sys::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) detail::ignore_broken_pipes();
}

task<> feed(pipe_writer& to, std::string text) {
    if (!to) co_return;
    if (!text.empty()) {
        const result<void> written = co_await as_result(to.write_all(as_bytes(text)));
        if (!written && written.error() != std::errc::broken_pipe)
            throw std::system_error{written.error(), "write to the program's input"};
    }
    to.close();
}

task<std::string> collect(pipe_reader& from, std::size_t bytes_max) {
    if (!from) co_return std::string{};
    std::string all = co_await from.read_all(bytes_max);
    co_return all;
}

}  // namespace

struct popen::started {
    pid_t pid = -1;
    pipe_writer input;
    pipe_reader output;
    pipe_reader errors;
};

popen::started popen::start(const std::vector<std::string>& command, const popen_options& options) {
    if (command.empty()) throw std::invalid_argument{"popen: there is no command"};
    refuse_zero_bytes(command, options);
    if (io::sys::simulated) throw std::system_error{ENOSYS, std::generic_category(), "popen in the simulated kernel"};
    started result;
    file_actions actions;
    std::array<io::owned_fd, 3> theirs;  // closed here when the program has them
    const std::array<const stdio*, 3> wanted{&options.input, &options.output, &options.errors};
    for (int to = 0; to < 3; ++to) {
        const stdio& what = *wanted[static_cast<std::size_t>(to)];
        io::owned_fd& end = theirs[static_cast<std::size_t>(to)];
        if (what.kind_ == stdio::kind::pipe) {
            pipe_ends ends = make_pipe();
            end = std::move(to == 0 ? ends.read : ends.write);
            if (to == 0) result.input = pipe_writer{std::move(ends.write)};
            if (to == 1) result.output = pipe_reader{std::move(ends.read)};
            if (to == 2) result.errors = pipe_reader{std::move(ends.read)};
        } else if (what.kind_ == stdio::kind::descriptor) {
            end = away_from_stdio(what.fd_);
        }
    }
    for (int to = 0; to < 3; ++to) {
        const stdio& what = *wanted[static_cast<std::size_t>(to)];
        if (const io::owned_fd& end = theirs[static_cast<std::size_t>(to)]; end) actions.copy(end.get(), to);
        if (what.kind_ == stdio::kind::null) actions.open_null(to);
        if (what.kind_ == stdio::kind::to_output && to == 2) actions.copy(1, 2);
    }
    if (options.directory) actions.change_directory(*options.directory);
    if (!options.keep_descriptors) actions.close_from_3();
    if (result.input) ignore_broken_pipes_by_default();

    const attributes how{options.own_group};
    const std::vector<char*> argv = pointers_to(command);
    std::vector<char*> environment;
    if (options.environment) environment = pointers_to(*options.environment);
    detail::keep_exit_codes();
    const int error = ::posix_spawnp(&result.pid, argv.front(), actions.get(), how.get(), argv.data(),
                                     options.environment ? environment.data() : ::environ);
    if (error != 0) {
        std::string what = "cannot run '" + command.front() + "'";
        if (options.directory) what += " in '" + *options.directory + "'";
        throw std::system_error{error, std::generic_category(), what};
    }
    return result;
}

popen::popen(const std::vector<std::string>& command, const popen_options& options) : popen{start(command, options)} {}

popen::popen(started from)
    : child{from.pid},
      input_{std::move(from.input)},
      output_{std::move(from.output)},
      errors_{std::move(from.errors)} {}

task<popen_result> popen::communicate(std::string text, std::size_t bytes_max) {
    if (!text.empty() && !input_) throw std::invalid_argument{"communicate: the program's input is no pipe"};
    popen_result done;
    std::exception_ptr failure;
    try {
        auto got =
            co_await when_all(feed(input_, std::move(text)), collect(output_, bytes_max), collect(errors_, bytes_max));
        done.output = std::move(std::get<1>(got));
        done.errors = std::move(std::get<2>(got));
    } catch (...) {
        failure = std::current_exception();
    }
    input_.close();
    output_.close();
    errors_.close();
    if (failure) std::rethrow_exception(failure);
    done.exit_code = co_await join();
    co_return done;
}

}  // namespace ringlet::os
