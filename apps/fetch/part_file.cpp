// SPDX-License-Identifier: MIT
#include "fetch/part_file.hpp"

#include "common/file_digest.hpp"
#include "common/file_room.hpp"
#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include "fetch/part_access.hpp"
#include "fetch/present_file.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/io/op/fsync.hpp>
#include <ringlet/io/op/splice.hpp>
#include <ringlet/io/system_calls.hpp>

#include <exception>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace fetch {
namespace {

namespace fs = ringlet::fs;
namespace io = ringlet::io;
namespace sys = ringlet::io::sys;

// Small pieces (tiny chunks, slow peers) are gathered, so that the number of writes depends on the bytes alone.
constexpr std::size_t direct_bytes = 32 * 1024;
constexpr std::size_t gathered_bytes_max = 128 * 1024;

}  // namespace

std::unique_ptr<part_file> part_file::take_up(destination& where, const file_wishes& wishes, const std::string& name,
                                              std::string& in_the_way) {
    std::unique_ptr<part_file> part{new part_file{where, wishes}};
    part->call_it(name);
    std::optional<left_part> left = open_left_part(where, name, wishes.url, wishes.trusts_length, in_the_way);
    if (!left) return nullptr;
    part->file_.emplace(std::move(left->file));
    part->state_file_.emplace(std::move(left->state_file));
    part->state_ = std::move(left->state);
    part->state_there_ = true;
    part->use_segments(std::move(part->state_.segments));
    return part;
}

std::unique_ptr<part_file> part_file::make(destination& where, file_wishes wishes, std::string name) {
    std::unique_ptr<part_file> part{new part_file{where, std::move(wishes)}};
    part->call_it(std::move(name));
    return part;
}

// Nothing is allocated between the making of the file and its owner: it would stay behind where there is no memory.
void part_file::open() {
    for (;;) {
        file_ = open_part(*where_, part_name_);
        const std::string name_of_part = part_name_.substr(0, part_name_.size() - part_suffix.size());
        if (file_ && (wishes_.replaces || !where_->exists(name_of_part))) return;
        // Beside a file that somebody else has made meanwhile it would be found no more.
        if (file_) sys::unlinkat(where_->directory().get(), part_name_.c_str(), 0);
        file_.reset();
        if (wishes_.only_name)
            throw failure{reason::file, where_->path_of(part_name_) +
                                            ": in the way: in use, or not left behind by a run of this program"};
        std::string name = wishes_.replaces ? where_->claim_to_replace(part_base_) : where_->claim(part_base_);
        if (wishes_.base == part_base_)
            call_it(std::move(name));
        else
            part_name_ = part_name_of(name);
    }
}

part_file::part_file(destination& where, file_wishes wishes)
    : where_{&where}, wishes_{std::move(wishes)}, part_base_{wishes_.base} {}

void part_file::call_it(std::string name) {
    part_name_ = part_name_of(name);
    name_ = std::move(name);
}

void part_file::rename_to(std::string base, std::string name) {
    wishes_.base = std::move(base);
    name_ = std::move(name);
}

// Before the lock goes with the descriptor.
part_file::~part_file() {
    if (!file_ || nameless_ || named_) return;
    if (kept()) {
        // Gives back the room that was made for what has not come.
        struct stat info{};
        const int fd = file_->descriptor().get();
        if (sys::fstat(fd, &info) == 0) sys::ftruncate(fd, info.st_size);
        return;
    }
    if (stands_under(where_->directory().get(), part_name_, file_->descriptor().get()))
        sys::unlinkat(where_->directory().get(), part_name_.c_str(), 0);
    drop_state();
}

void part_file::drop_state() noexcept {
    if (!state_there_) return;
    state_there_ = false;
    try {
        const int directory = where_->directory().get();
        const std::string name = state_name_of(part_name_);
        if (stands_under(directory, name, state_file_->descriptor().get()))  // else it is another run's by now
            sys::unlinkat(directory, name.c_str(), 0);
    } catch (const std::bad_alloc&) {  // then it stays, without a part, and is removed when there is one again
    }
    state_file_.reset();
}

// The old state goes first: whoever finds a part with a state believes it.
ringlet::task<> part_file::begin(part_state version) {
    drop_state();
    if (std::exchange(nameless_, false)) file_.reset();
    state_ = std::move(version);
    use_segments(std::move(state_.segments));
    hashed_ = 0;
    digest_.reset();
    if (wishes_.checksum) digest_.emplace(wishes_.checksum->algorithm);
    if (!file_ && is_gathered()) co_return;
    if (!file_) {
        open();
    } else if (file_->size() > 0) {
        const ringlet::result<void> emptied = co_await ringlet::as_result(file_->truncate(0));
        if (!emptied) throw file_failure("cannot write", where_->path_of(part_name_), emptied.error());
    }
    const ringlet::result<void> reserved =
        co_await ringlet::as_result(apps::make_room(*file_, state_.total.value_or(0)));
    if (!reserved && reserved.error() != std::errc::invalid_argument)  // no file is so long; the server may have lied
        throw file_failure("write", where_->path_of(part_name_), reserved.error());
}

// All of it comes before any of it is written.
bool part_file::is_gathered() const noexcept {
    return !wishes_.replaces && state_.total && *state_.total < direct_bytes;
}

// As long as the state's file does not say so, nothing may come in another order than before.
void part_file::divide(std::vector<segment> segments) {
    if (!file_) open();
    std::vector<segment> before = state_.segments;
    use_segments(std::move(segments));
    try {
        save_state();
    } catch (const std::exception&) {
        use_segments(std::move(before));
        throw;
    }
}

void part_file::use_segments(std::vector<segment> segments) {
    state_.segments = std::move(segments);
    gathered_.assign(state_.segments.size(), {});
}

// A run that is killed leaves the old one or the new one, and nothing in between.
void part_file::save_state() {
    const int directory = where_->directory().get();
    const std::string name = state_name_of(part_name_);
    const std::string fresh = new_state_name_of(part_name_);
    io::owned_fd made{sys::openat(directory, fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, private_mode)};
    if (!made) throw file_failure("cannot write", where_->path_of(fresh), last_error());
    unless_kept removal{directory, fresh};
    fs::file file{std::move(made)};
    write_at_once(file, fresh, ringlet::as_bytes(encode(state_)), 0);
    if (sys::renameat2(directory, fresh.c_str(), directory, name.c_str(), 0) != 0)
        throw file_failure("cannot rename to", where_->path_of(name), last_error());
    removal.kept = true;
    state_file_.emplace(std::move(file));
    state_there_ = true;
}

ringlet::task<> part_file::write(std::size_t which, std::span<const std::byte> bytes) {
    std::vector<std::byte>& gathered = gathered_[which];
    if (gathered.empty() && bytes.size() >= direct_bytes) {
        co_await put(which, bytes);
        co_return;
    }
    gathered.insert(gathered.end(), bytes.begin(), bytes.end());
    if (gathered.size() >= gathered_bytes_max) co_await flush(which);
}

// A put that failed or was cancelled before its bytes were counted is made again, and only then.
ringlet::task<> part_file::flush(std::size_t which) {
    std::vector<std::byte>& gathered = gathered_[which];
    if (gathered.empty()) co_return;
    const std::uint64_t before = state_.segments[which].done;
    std::exception_ptr failed;
    try {
        co_await put(which, gathered);
    } catch (...) {
        failed = std::current_exception();
    }
    if (state_.segments[which].done != before) gathered.clear();
    if (failed) std::rethrow_exception(failed);
}

void part_file::forget(std::size_t which) noexcept { gathered_[which].clear(); }

ringlet::task<> part_file::write_from(const body_pipe& pipe, std::size_t which, std::size_t bytes) {
    co_await flush(which);
    prepare_to_put(bytes);
    while (bytes > 0) {
        const auto offset = static_cast<std::int64_t>(state_.segments[which].next());
        const ringlet::result<std::size_t> moved = co_await ringlet::as_result(
            io::splice_op{pipe.end, -1, file_->descriptor(), offset, static_cast<unsigned>(bytes), SPLICE_F_MOVE});
        if (!moved) throw file_failure("write", where_->path_of(part_name_), moved.error());
        if (*moved == 0) throw failure{reason::other, "a pipe is empty that should not be"};
        state_.segments[which].done += *moved;
        bytes -= *moved;
        note_progress(which);
    }
}

ringlet::task<> part_file::put(std::size_t which, std::span<const std::byte> bytes) {
    const std::uint64_t offset = state_.segments[which].next();
    prepare_to_put(bytes.size());
    if (where_->pace().is_slow()) {
        const ringlet::result<void> done = co_await ringlet::as_result(file_->write_all(bytes, offset));
        if (!done) throw file_failure("write", where_->path_of(part_name_), done.error());
    } else {
        write_at_once(*file_, part_name_, bytes, offset);
    }
    state_.segments[which].done += bytes.size();
    note_progress(which);
    if (digest_ && offset == hashed_) {
        // Who is interrupted does not know whether they are in it: then it is forgotten.
        std::optional<apps::digest> digest = std::exchange(digest_, std::nullopt);
        hashed_ = 0;
        co_await apps::add(*digest, bytes);
        digest_ = std::move(digest);
        hashed_ = offset + bytes.size();
    }
}

void part_file::write_at_once(const fs::file& into, const std::string& name, std::span<const std::byte> bytes,
                              std::uint64_t offset) {
    const std::error_code failed = where_->pace().write_at_once(into.descriptor(), bytes, offset);
    if (failed) throw file_failure("write", where_->path_of(name), failed);
}

// What is incomplete has its state before it has a byte.
void part_file::prepare_to_put(std::size_t bytes) {
    const bool completes = state_.done_bytes() + bytes == state_.total;
    if (!file_ && completes && !wishes_.replaces) {
        file_ = open_nameless(*where_);
        nameless_ = file_.has_value();
    }
    if (!file_) open();
    if (!state_there_ && state_.resumable() && !completes) save_state();
}

// With one segment the length of the file says it.
void part_file::note_progress(std::size_t which) {
    if (state_.segments.size() == 1) return;
    write_at_once(*state_file_, state_name_of(part_name_), ringlet::as_bytes(segment_line(state_.segments[which])),
                  segment_offset(state_, which));
}

// What has not been hashed on its way is read again. A file that is not what was announced does not stay.
ringlet::task<> part_file::verify() {
    if (!wishes_.checksum) co_return;
    if (!digest_) digest_.emplace(wishes_.checksum->algorithm);
    const ringlet::result<std::uint64_t> read = co_await ringlet::as_result(apps::add_file(*digest_, *file_, hashed_));
    if (!read) throw file_failure("read", where_->path_of(part_name_), read.error());
    const std::string got = digest_->hex();
    digest_.reset();
    hashed_ = 0;
    if (got == wishes_.checksum->hex) co_return;
    drop_state();
    throw checksum_failure(*wishes_.checksum, got);
}

ringlet::task<> part_file::settle() {
    const int fd = file_->descriptor().get();
    if (where_->tells_at_close()) {
        const ringlet::result<void> written = co_await ringlet::as_result(apps::check_written(*file_));
        if (!written) throw file_failure("write", where_->path_of(part_name_), written.error());
    }
    mark_version(fd, state_);
    if (wishes_.durable) {
        const ringlet::result<void> synced = co_await ringlet::as_result(file_->sync());
        if (!synced) throw file_failure("write", where_->path_of(part_name_), synced.error());
    }
    // Just before the name: what is left behind with this mode and without a state, nobody takes for a part.
    if (!nameless_) sys::fchmod(fd, where_->file_mode());  // not every file system has modes
}

// Not beside another run's part, which would be found no more.
std::error_code part_file::give_first_name(int fd) const {
    if (where_->exists(part_name_of(name_))) return std::make_error_code(std::errc::file_exists);
    return apps::give_first_name(where_->directory().get(), fd, name_);
}

// Result: the path. Once the name is taken nothing can fail any more.
ringlet::task<std::string> part_file::take_name() {
    const int directory = where_->directory().get();
    const int fd = file_->descriptor().get();
    for (;;) {
        if (!nameless_ && !stands_under(directory, part_name_, fd))
            throw failure{reason::file, where_->path_of(part_name_) + ": somebody has taken it away"};
        std::string path = where_->path_of(name_);
        const std::error_code error =
            nameless_ ? give_first_name(fd) : apps::give_name(directory, part_name_, name_, wishes_.replaces);
        named_ = !error;
        if (named_) {
            drop_state();
            co_return path;
        }
        if (wishes_.replaces || error != std::errc::file_exists) throw file_failure("cannot rename to", path, error);
        name_ = where_->claim(wishes_.base);  // somebody else made a file of this name meanwhile
    }
}

ringlet::task<std::string> part_file::finish() {
    if (!file_) prepare_to_put(0);
    co_await verify();
    co_await settle();
    std::string path = co_await take_name();
    if (!wishes_.durable) co_return path;
    const ringlet::result<void> synced = co_await ringlet::as_result(io::fsync_op{where_->directory()});
    if (!synced && synced.error() != std::errc::invalid_argument)  // not every file system syncs directories
        throw file_failure("cannot sync the directory of", path, synced.error());
    co_return path;
}

}  // namespace fetch
