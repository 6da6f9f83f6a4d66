// SPDX-License-Identifier: MIT
#include "fetch/present_file.hpp"

#include "common/file_digest.hpp"
#include "common/system_error.hpp"
#include "fetch/destination.hpp"
#include "fetch/part_access.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace fetch {
namespace {

namespace fs = ringlet::fs;
namespace io = ringlet::io;
namespace sys = ringlet::io::sys;

constexpr const char* version_attribute = "user.ringlet.version";

// Tells a version of a URL from others.
std::uint64_t check_of_version(const part_state& version, std::uint64_t bytes) {
    return check_of(fmt::format("{}\n{}\n{}", version.url, version.validator, bytes));
}

// It also says when the file was last written.
std::string mark_of(std::uint64_t check, const struct stat& file) {
    return fmt::format("{:016x} {}.{:09}", check, file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
}

// What a file of this user is marked with, as long as nobody has changed it since.
std::optional<std::uint64_t> read_mark(int fd, const struct stat& file) {
    if (!S_ISREG(file.st_mode) || file.st_uid != ::geteuid()) return std::nullopt;  // anybody can mark his own
    std::array<char, 256> mark{};
    const ssize_t length = sys::fgetxattr(fd, version_attribute, mark.data(), mark.size());
    if (length <= 0) return std::nullopt;
    const std::string_view text{mark.data(), static_cast<std::size_t>(length)};
    std::uint64_t check = 0;
    std::from_chars(text.data(), text.data() + text.size(), check, 16);
    return text == mark_of(check, file) ? std::optional{check} : std::nullopt;
}

io::owned_fd open_to_look(const destination& where, const std::string& name) noexcept {
    return io::owned_fd{sys::openat(where.directory().get(), name.c_str(), O_RDONLY | open_present)};
}

struct whole_digest {
    std::string hex;
    apps::file_state state;  // before it was read
};

// nullopt where there is no regular file that can be read.
ringlet::task<std::optional<whole_digest>> digest_of(const destination& where, std::string name,
                                                     apps::digest_algorithm algorithm) {
    const auto how = fs::open_options{O_RDONLY | open_present}.at(where.directory());
    ringlet::result<fs::file> file = co_await ringlet::as_result(fs::open(name, how));
    struct stat info{};
    if (!file || sys::fstat(file->descriptor().get(), &info) != 0 || !S_ISREG(info.st_mode)) co_return std::nullopt;
    let_it_wait(file->descriptor().get());
    apps::digest digest{algorithm};
    const ringlet::result<std::uint64_t> read = co_await ringlet::as_result(apps::add_file(digest, *file, 0));
    if (!read) co_return std::nullopt;
    whole_digest got;
    got.hex = digest.hex();
    got.state = apps::file_state::of(info);
    co_return got;
}

}  // namespace

void mark_version(int fd, const part_state& version) {
    struct stat info{};
    if (!version.resumable() || !version.end_is_certain || sys::fstat(fd, &info) != 0) return;
    const std::string mark = mark_of(check_of_version(version, version.total.value_or(0)), info);
    sys::fsetxattr(fd, version_attribute, mark.data(), mark.size());
}

bool is_version(const destination& where, const std::string& name, const part_state& version) {
    const io::owned_fd fd = open_to_look(where, name);
    struct stat info{};
    if (!fd || !version.resumable() || sys::fstat(fd.get(), &info) != 0) return false;
    const auto bytes = static_cast<std::uint64_t>(info.st_size);
    return version.total.value_or(bytes) == bytes && read_mark(fd.get(), info) == check_of_version(version, bytes);
}

ringlet::task<bool> has_digest(const destination& where, std::string name, apps::wanted_digest wanted) {
    const std::optional<whole_digest> got = co_await digest_of(where, std::move(name), wanted.algorithm);
    co_return got && got->hex == wanted.hex;
}

// Where descriptors are short, the rest waits for the next that asks.
void present_files::read_marks(const destination& where) {
    for (; marks_read_ < names_.size(); ++marks_read_) {
        const io::owned_fd fd = open_to_look(where, names_[marks_read_]);
        if (!fd && apps::is_shortage(apps::last_error())) return;
        struct stat info{};
        if (!fd || sys::fstat(fd.get(), &info) != 0) continue;
        const std::optional<std::uint64_t> mark = read_mark(fd.get(), info);
        if (!mark) continue;
        marks_.emplace(*mark, marks_read_);
        sizes_.insert(static_cast<std::uint64_t>(info.st_size));
    }
}

// What was seen before only says where to look.
std::optional<std::string> present_files::of_version(const destination& where, const part_state& version) {
    read_marks(where);
    std::set<std::uint64_t> sizes;
    if (version.total) sizes.insert(*version.total);
    std::set<std::size_t> candidates;
    for (const std::uint64_t size : version.total ? sizes : sizes_) {
        const auto [begin, end] = marks_.equal_range(check_of_version(version, size));
        for (auto each = begin; each != end; ++each) candidates.insert(each->second);
    }
    for (const std::size_t index : candidates)
        if (is_version(where, names_[index], version)) return names_[index];
    return std::nullopt;
}

// A file that has changed since is read again.
ringlet::task<std::optional<std::string>> present_files::find_hashed(const destination& where,
                                                                     const known_digests& known,
                                                                     const apps::wanted_digest& wanted) {
    std::vector<hashed_file> found;
    const auto [begin, end] = known.files.equal_range(wanted.hex);
    for (auto each = begin; each != end; ++each) found.push_back(each->second);
    for (const hashed_file& each : found) {
        std::string name = names_[each.index];
        struct stat info{};
        if (sys::fstatat(where.directory().get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        bool same = apps::file_state::of(info) == each.state;
        if (!same) same = co_await has_digest(where, name, wanted);
        if (same) co_return name;
    }
    co_return std::nullopt;
}

ringlet::task<> present_files::hash_next(const destination& where, known_digests& known,
                                         apps::digest_algorithm algorithm) {
    const std::size_t index = known.read;
    const std::optional<whole_digest> got = co_await digest_of(where, names_[index], algorithm);
    if (got) known.files.emplace(got->hex, hashed_file{index, got->state});
    known.read = index + 1;
}

ringlet::task<std::optional<std::string>> present_files::with_digest(const destination& where,
                                                                     apps::wanted_digest wanted) {
    known_digests& known = digests_[wanted.algorithm];
    for (;;) {
        const std::size_t read = known.read;
        std::optional<std::string> found = co_await find_hashed(where, known, wanted);
        if (found) co_return found;
        if (known.read != read) continue;
        if (read == names_.size()) co_return std::nullopt;
        const ringlet::mutex_guard alone = co_await reading_.lock();
        if (known.read == read) co_await hash_next(where, known, wanted.algorithm);
    }
}

}  // namespace fetch
