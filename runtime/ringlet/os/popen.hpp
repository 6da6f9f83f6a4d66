// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/os/child.hpp>
#include <ringlet/os/pipe.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ringlet::os {

/// Where a standard stream of a program goes or comes from.
class stdio {
public:
    /// The same as ours.
    static stdio inherit() noexcept { return stdio{kind::inherit, -1}; }
    /// A pipe, whose other end `popen` has.
    static stdio pipe() noexcept { return stdio{kind::pipe, -1}; }
    /// /dev/null.
    static stdio null() noexcept { return stdio{kind::null, -1}; }
    /// A descriptor of ours: a file, a socket, the pipe of another program. It stays ours.
    static stdio descriptor(io::fd_ref fd) noexcept { return stdio{kind::descriptor, fd.get()}; }
    /// For standard error: where standard output goes.
    static stdio to_output() noexcept { return stdio{kind::to_output, -1}; }

    bool is_pipe() const noexcept { return kind_ == kind::pipe; }

private:
    friend class popen;
    enum class kind : unsigned char { inherit, pipe, null, descriptor, to_output };
    stdio(kind what, int fd) noexcept : kind_{what}, fd_{fd} {}
    kind kind_;
    int fd_;
};

/// How a program is started. (A class with a constructor: g++ 12 destroys aggregates in a co_await expression twice.)
struct popen_options {
    popen_options() noexcept {}
    popen_options(stdio in, stdio out, stdio err) noexcept : input{in}, output{out}, errors{err} {}
    /// Pipes at input and output.
    static popen_options pipes() noexcept { return {stdio::pipe(), stdio::pipe(), stdio::inherit()}; }

    stdio input = stdio::inherit();
    stdio output = stdio::inherit();
    stdio errors = stdio::inherit();
    /// The directory that the program begins in; a program's relative path counts from there.
    std::optional<std::string> directory;
    /// Its whole environment, "NAME=value" each; ours when absent.
    std::optional<std::vector<std::string>> environment;
    /// Descriptors from 3 on that are not close-on-exec go to the program; by default they are closed.
    bool keep_descriptors = false;
    /// A process group of its own: what the terminal sends (Ctrl-C) does not reach it.
    bool own_group = false;
};

/// What `popen::communicate` gives.
struct popen_result {
    std::string output;
    std::string errors;
    int exit_code = 0;  ///< as child::exit_code
};

/// Another program that runs as a child. As Python's subprocess.Popen, with streams that can be awaited. Always os::popen:
/// another name for it in ringlet would be ambiguous with popen(3) for who uses that namespace.
///
///     os::popen sort{{"sort", "-u"}, os::popen_options::pipes()};
///     const os::popen_result done = co_await sort.communicate(text);
///
/// SIGPIPE has its default action in the program, whatever it is here. When this process is killed the program goes on,
/// but its pipes end.
class popen : public child {
public:
    /// Starts the program. A name without a slash is looked for in our PATH. No shell: for one, {"sh", "-c", text}.
    ///
    /// Errors:    std::system_error: "cannot run 'nosuch': No such file or directory" for what exec(2) says (ENOENT, EACCES,
    ///            E2BIG), and a missing `directory` as well; those of pipe2(2) and fork(2); ENOSYS in the simulation.
    ///            std::invalid_argument for no command, or a zero byte in a word of it, the directory or the environment.
    /// Lifetime:  borrows nothing.
    /// Thread:    the loop's thread, or any that runs no loop. It is held until the program has begun. With a pipe at
    ///            input SIGPIPE is ignored here from now on, where it had its default action.
    /// Maps to:   posix_spawn(3), pidfd_open(2).
    explicit popen(const std::vector<std::string>& command, const popen_options& options = popen_options());

    /// Our ends of the pipes; false (no descriptor) where `stdio` was no pipe. Give `input` back by close(): most programs
    /// end when their input does.
    pipe_writer& input() noexcept { return input_; }
    pipe_reader& output() noexcept { return output_; }
    pipe_reader& errors() noexcept { return errors_; }

    /// Writes `text` to the program's input and closes that, reads output and errors to their ends, and waits for the
    /// program: all at once, so neither side waits for the other for ever. For streams that are pipes; a program that
    /// does not read all of its input is no error.
    ///
    /// Result:    what it wrote, and its exit code.
    /// Errors:    std::invalid_argument for a text when the input is no pipe; std::system_error as read(2) and
    ///            write(2), std::errc::message_size for more than `bytes_max` in either
    ///            stream; `cancelled`. Then the pipes are closed, and the program goes on, unless it is told to end.
    /// Lifetime:  borrows the popen until the co_await ends. Once.
    /// Thread:    the loop's thread only.
    task<popen_result> communicate(std::string text = "", std::size_t bytes_max = std::size_t{1} << 30);

private:
    struct started;
    explicit popen(started from);
    static started start(const std::vector<std::string>& command, const popen_options& options);

    pipe_writer input_;
    pipe_reader output_;
    pipe_reader errors_;
};

}  // namespace ringlet::os
