// SPDX-License-Identifier: MIT
#include "hunt/workloads.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/fs/directory.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/op/read.hpp>
#include <ringlet/io/op/write_all.hpp>
#include <ringlet/io/system_calls.hpp>

#include <array>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace ringlet_hunt {
namespace {

namespace fs = ringlet::fs;
using ringlet::task;

const std::string old_text(10'000, 'o');
const std::string new_text(150'000, 'n');

// As a careful program does: under another name, then renamed.
task<> replace(std::string path) {
    const std::string beside = path + ".new";
    std::exception_ptr failure;
    try {
        fs::file file = co_await fs::create(beside);
        co_await file.allocate(new_text.size());
        co_await file.write_all(ringlet::as_bytes(new_text), 0);
        co_await file.sync();
        co_await file.close();
        co_await fs::rename(beside, path);
        co_return;
    } catch (const std::exception&) {
        failure = std::current_exception();
    }
    [[maybe_unused]] const auto gone = co_await ringlet::as_result(fs::try_unlink(beside));
    std::rethrow_exception(failure);
}

task<> read_back(std::string path, std::string& into) {
    fs::file file = co_await fs::open(path);
    into = co_await file.read_all();
}

task<> pass_on(const ringlet::io::owned_fd& from, const ringlet::io::owned_fd& to) {
    std::array<std::byte, 3000> block;
    for (;;) {
        const std::size_t n = co_await ringlet::io::read_op{from, block};
        if (n == 0) co_return;
        co_await ringlet::io::write_all_op{to, std::span{block}.first(n)};
    }
}

struct pipe {
    ringlet::io::owned_fd reading;
    ringlet::io::owned_fd writing;
};
pipe make_pipe() {
    int fds[2];
    if (ringlet::io::sys::pipe2(fds, O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
    return {ringlet::io::owned_fd{fds[0]}, ringlet::io::owned_fd{fds[1]}};
}

task<> write_into(ringlet::io::owned_fd to, const std::string& text) {
    co_await ringlet::io::write_all_op{to, ringlet::as_bytes(text)};
}
task<> pass_and_close(ringlet::io::owned_fd from, ringlet::io::owned_fd to) { co_await pass_on(from, to); }
task<> collect(ringlet::io::owned_fd from, std::string& into) {
    std::array<std::byte, 4096> block;
    for (;;) {
        const std::size_t n = co_await ringlet::io::read_op{from, block};
        if (n == 0) co_return;
        into += ringlet::as_text(std::span{block}.first(n));
    }
}

task<> three_in_a_row(std::string& out) {
    pipe first = make_pipe();
    pipe second = make_pipe();
    auto body = [](ringlet::task_group& group, pipe& a, pipe& b, std::string& into) -> task<> {
        group.spawn(write_into, std::move(a.writing), std::cref(new_text));
        group.spawn(pass_and_close, std::move(a.reading), std::move(b.writing));
        group.spawn(collect, std::move(b.reading), std::ref(into));
        co_return;
    };
    co_await ringlet::with_task_group(body, std::ref(first), std::ref(second), std::ref(out));
}

}  // namespace

bool replace_a_file(ringlet::testing::simulation& world) {
    world.write_file("/etc/it", old_text);
    bool replaced = false;
    try {
        world.run(replace("/etc/it"));
        replaced = true;
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
    const std::string now = world.read_file("/etc/it").value_or("");
    if (now != (replaced ? new_text : old_text) && now != new_text)  // renamed, and then an error
        throw std::logic_error{"the file is neither the old one nor the new one"};
    std::string read;
    try {
        world.run(read_back("/etc/it", read));
    } catch (const std::system_error&) {
        return false;
    } catch (const std::bad_alloc&) {
        return false;
    }
    if (read != now) throw std::logic_error{"other bytes were read than the file has"};
    return replaced;
}

bool hand_on_through_pipes(ringlet::testing::simulation& world) {
    std::string out;
    try {
        world.run(three_in_a_row(out));
    } catch (const std::system_error&) {
        return false;
    } catch (const std::bad_alloc&) {
        return false;
    }
    if (out != new_text) throw std::logic_error{"other bytes came out than went in"};
    return true;
}

}  // namespace ringlet_hunt
