// SPDX-License-Identifier: MIT
#include "fetch/present_file.hpp"

#include "common/file_digest.hpp"
#include "fetch/part_access.hpp"
#include <ringlet/core/awaitable.hpp>
#include <ringlet/fs/file.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/io/system_calls.hpp>

#include <fmt/format.h>

#include <array>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace fetch {
namespace {

namespace fs = ringlet::fs;
namespace io = ringlet::io;
namespace sys = ringlet::io::sys;

constexpr const char* version_attribute = "user.ringlet.version";

// Tells a version of a URL from others, and says when the file was last written.
std::string version_mark(const part_state& version, const struct stat& file) {
    const std::string text = fmt::format("{}\n{}\n{}", version.url, version.validator, version.total.value_or(0));
    return fmt::format("{:016x} {}.{:09}", check_of(text), file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
}

}  // namespace

void mark_version(int fd, const part_state& version) {
    struct stat info{};
    if (!version.resumable() || !version.end_is_certain || sys::fstat(fd, &info) != 0) return;
    const std::string mark = version_mark(version, info);
    sys::fsetxattr(fd, version_attribute, mark.data(), mark.size());
}

bool is_version(const destination& where, const std::string& name, const part_state& version) {
    const io::owned_fd fd{sys::openat(where.directory().get(), name.c_str(), O_RDONLY | open_present)};
    struct stat info{};
    if (!fd || !version.resumable() || sys::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
    if (info.st_uid != ::geteuid()) return false;  // anybody can mark a file of his own
    part_state all = version;
    all.total = static_cast<std::uint64_t>(info.st_size);
    if (version.total.value_or(*all.total) != *all.total) return false;
    std::array<char, 256> mark{};
    const ssize_t length = sys::fgetxattr(fd.get(), version_attribute, mark.data(), mark.size());
    return length > 0 && std::string_view{mark.data(), static_cast<std::size_t>(length)} == version_mark(all, info);
}

ringlet::task<bool> has_digest(const destination& where, std::string name, apps::wanted_digest wanted) {
    const auto how = fs::open_options{O_RDONLY | open_present}.at(where.directory());
    ringlet::result<fs::file> file = co_await ringlet::as_result(fs::open(name, how));
    struct stat info{};
    if (!file || sys::fstat(file->descriptor().get(), &info) != 0 || !S_ISREG(info.st_mode)) co_return false;
    let_it_wait(file->descriptor().get());
    apps::digest digest{wanted.algorithm};
    const ringlet::result<std::uint64_t> read = co_await ringlet::as_result(apps::add_file(digest, *file, 0));
    const bool same = read && digest.hex() == wanted.hex;
    co_return same;
}

}  // namespace fetch
