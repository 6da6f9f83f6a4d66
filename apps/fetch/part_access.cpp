// SPDX-License-Identifier: MIT
#include "fetch/part_access.hpp"

#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/stat.h>

namespace fetch {
namespace {

namespace fs = ringlet::fs;
namespace io = ringlet::io;
namespace sys = ringlet::io::sys;

constexpr std::size_t state_bytes_max = std::size_t{2} << 20;
constexpr int lock_wait_ms = 2;
// Each further try is another run's that has just ended.
constexpr int opens_max = 100;

constexpr const char* not_left_behind = "not left behind by a run of this program";

// Whether it is locked now; not while another run has it. Throws failure where the file system has no locks.
bool lock(const destination& where, const std::string& name, int fd) {
    const std::error_code error = apps::lock_file(fd);
    if (error && error != std::errc::operation_would_block)
        throw file_failure("cannot lock", where.path_of(name), error);
    return !error;
}

// The kernel lets go of what a killed run had in its ring a little after it is gone: then the same command comes again.
bool lock_soon(destination& where, const std::string& name, int fd) {
    while (!lock(where, name, fd)) {
        if (!where.may_wait()) return false;
        sys::poll(nullptr, 0, lock_wait_ms);
    }
    return true;
}

// All of a small file; nullopt when it cannot be read or has more than `bytes_max`.
std::optional<std::string> read_small(int fd, std::size_t bytes_max) {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
        const ssize_t got = sys::read(fd, piece.data(), piece.size());
        if (got == 0) return text;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 || text.size() + static_cast<std::size_t>(got) > bytes_max) return std::nullopt;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

// A file that could not be opened for lack of descriptors or memory is not in anybody's way.
void throw_if_short(const destination& where, const std::string& name, const io::owned_fd& fd) {
    if (fd) return;
    const std::error_code error = last_error();
    if (is_shortage(error))
        throw failure{reason::shortage, fmt::format("cannot open {}: {}", where.path_of(name), error.message())};
}

// Removes a state whose part is gone. Whether there is nothing of that name now: what only has the name of a state stays.
bool drop_old_state(const destination& where, const std::string& name) {
    if (!where.exists(name)) return true;
    const int directory = where.directory().get();
    const io::owned_fd fd{sys::openat(directory, name.c_str(), O_RDONLY | open_present)};
    throw_if_short(where, name, fd);
    if (!fd || !apps::is_own_file(directory, name, fd.get())) return false;
    const auto text = read_small(fd.get(), state_bytes_max);
    return text && looks_like_state(*text) && sys::unlinkat(directory, name.c_str(), 0) == 0;
}

// What the state says and what the file has must fit.
bool fits(part_state& state, std::uint64_t bytes) noexcept {
    if (state.segments.size() == 1) {
        segment& only = state.segments.front();
        only.done = bytes;
        return bytes <= only.end;
    }
    return std::ranges::all_of(state.segments, [bytes](const segment& s) { return s.done == 0 || s.next() <= bytes; });
}

// What came of one try to get a part.
struct opened_part {
    std::optional<fs::file> file;
    bool gone = false;  // what was opened is not what has the name now
};

opened_part make_part(const destination& where, const std::string& part_name, io::owned_fd made) {
    const int directory = where.directory().get();
    opened_part got;
    const std::error_code error = apps::lock_file(made.get());
    if (error == std::errc::operation_would_block)
        return got;  // another run has opened it in between: it is that one's
    got.gone = !stands_under(directory, part_name, made.get());  // which has ended, and given it its last name
    if (got.gone) return got;
    unless_kept removal{directory, part_name};
    if (error) throw file_failure("cannot lock", where.path_of(part_name), error);
    removal.kept =
        drop_old_state(where, state_name_of(part_name)) && drop_old_state(where, new_state_name_of(part_name));
    if (removal.kept) got.file.emplace(std::move(made));
    return got;
}

opened_part empty_part(const destination& where, const std::string& part_name) {
    const int directory = where.directory().get();
    opened_part got;
    io::owned_fd left{sys::openat(directory, part_name.c_str(), O_RDWR | open_present)};
    got.gone = !left && errno == ENOENT;
    if (!left || !lock(where, part_name, left.get())) return got;
    got.gone = !stands_under(directory, part_name, left.get());  // who had it has renamed or removed it
    if (got.gone || !apps::is_own_file(directory, part_name, left.get()) || where.exists(state_name_of(part_name)))
        return got;
    sys::unlinkat(directory, new_state_name_of(part_name).c_str(), 0);  // of a run that was killed while it wrote one
    sys::fchmod(left.get(), private_mode);
    let_it_wait(left.get());
    if (sys::ftruncate(left.get(), 0) != 0) throw file_failure("cannot write", where.path_of(part_name), last_error());
    got.file.emplace(std::move(left));
    return got;
}

}  // namespace

std::string part_name_of(const std::string& name) { return name + std::string{part_suffix}; }
std::string state_name_of(const std::string& part_name) {
    return part_name + std::string{state_suffix.substr(part_suffix.size())};
}
std::string new_state_name_of(const std::string& part_name) {
    return part_name + std::string{new_state_suffix.substr(part_suffix.size())};
}

std::optional<fs::file> open_part(const destination& where, const std::string& part_name) {
    constexpr int new_one = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    for (int tries = 0; tries < opens_max; ++tries) {
        io::owned_fd made{sys::openat(where.directory().get(), part_name.c_str(), new_one, private_mode)};
        if (!made && errno != EEXIST) throw file_failure("cannot write", where.path_of(part_name), last_error());
        opened_part got = made ? make_part(where, part_name, std::move(made)) : empty_part(where, part_name);
        if (!got.gone) return std::move(got.file);
    }
    return std::nullopt;
}

std::optional<fs::file> open_nameless(destination& where) noexcept {
    if (!where.takes_nameless()) return std::nullopt;
    io::owned_fd made{sys::openat(where.directory().get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666)};
    if (made) return fs::file{std::move(made)};
    where.takes_no_nameless();
    return std::nullopt;
}

std::optional<left_part> open_left_part(destination& where, const std::string& name, const std::string& url,
                                        bool trusts_length, std::string& in_the_way) {
    in_the_way.clear();
    const int directory = where.directory().get();
    const std::string part_name = part_name_of(name);
    io::owned_fd fd;
    // A run that was killed just before its last step has given it the mode of a complete file.
    const auto is_ours = [&](mode_t or_mode) {
        return fd && apps::is_own_file(directory, part_name, fd.get(), or_mode);
    };
    bool locked = false;
    for (int tries = 0; tries < opens_max; ++tries) {
        fd = io::owned_fd{sys::openat(directory, part_name.c_str(), O_RDWR | open_present)};
        if (!fd && errno == ENOENT) return std::nullopt;
        throw_if_short(where, part_name, fd);
        locked = is_ours(where.file_mode()) && lock_soon(where, part_name, fd.get());
        if (!fd || stands_under(directory, part_name, fd.get())) break;  // else who had it has renamed or removed it
    }
    if (!is_ours(where.file_mode())) {
        in_the_way = not_left_behind;
        return std::nullopt;
    }
    if (!locked) {
        in_the_way = "in use";
        return std::nullopt;
    }
    const std::string state_name = state_name_of(part_name);
    const auto remove_part = [&] {
        // Of a run that was killed while it wrote one.
        sys::unlinkat(directory, new_state_name_of(part_name).c_str(), 0);
        sys::unlinkat(directory, part_name.c_str(), 0);
    };
    io::owned_fd state_fd{sys::openat(directory, state_name.c_str(), O_RDWR | open_present)};
    if (!state_fd && errno == ENOENT) {  // nobody can go on with it
        if (is_ours(private_mode))
            remove_part();
        else
            in_the_way = not_left_behind;
        return std::nullopt;
    }
    throw_if_short(where, state_name, state_fd);
    std::optional<part_state> state;
    if (state_fd && apps::is_own_file(directory, state_name, state_fd.get()))
        if (const auto text = read_small(state_fd.get(), state_bytes_max)) state = decode(*text);
    struct stat info{};
    if (!state || sys::fstat(fd.get(), &info) != 0 || !fits(*state, static_cast<std::uint64_t>(info.st_size))) {
        in_the_way = "its state is damaged";
        return std::nullopt;
    }
    if (state->url != url) {
        in_the_way = "of another URL";
        where.note_part(std::move(state->url), name);
        return std::nullopt;
    }
    state->trusts_length = trusts_length;
    if (!state->resumable()) {
        sys::unlinkat(directory, state_name.c_str(), 0);
        remove_part();
        return std::nullopt;
    }
    sys::unlinkat(directory, new_state_name_of(part_name).c_str(), 0);
    sys::fchmod(fd.get(), private_mode);
    let_it_wait(fd.get());
    let_it_wait(state_fd.get());
    return left_part{fs::file{std::move(fd)}, fs::file{std::move(state_fd)}, *std::move(state)};
}

}  // namespace fetch
