// SPDX-License-Identifier: MIT
#include "fetch/destination.hpp"

#include "common/own_file.hpp"
#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <functional>

#include <fcntl.h>
#include <sys/stat.h>

namespace fetch {
namespace {

namespace sys = ringlet::io::sys;

constexpr unsigned number_max = 99'999;

std::size_t hash_of(const std::string& name) noexcept { return std::hash<std::string>{}(name); }

ringlet::io::owned_fd open_directory(const std::string& path) noexcept {
    return ringlet::io::owned_fd{sys::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

// Result: why a directory on the way could not be made, if so.
std::error_code make_directories(const std::string& path) {
    for (std::size_t end = 0; (end = path.find_first_not_of('/', end)) != path.npos;) {
        end = path.find('/', end);
        if (sys::mkdir(path.substr(0, end).c_str(), 0777) != 0 && errno != EEXIST) return last_error();
    }
    return {};
}

}  // namespace

destination::destination(const std::string& directory, std::chrono::nanoseconds write_patience)
    : path_{directory.empty() ? "." : directory}, file_mode_{apps::mode_of_new_files()}, pace_{write_patience} {
    fd_ = open_directory(path_);
    if (!fd_ && errno == ENOENT) {
        const std::error_code error = make_directories(path_);
        if (error) throw file_failure("cannot use directory", path_, error);
        fd_ = open_directory(path_);
    }
    if (!fd_) throw file_failure("cannot use directory", path_, last_error());
    tells_at_close_ = apps::tells_at_close(fd_.get());
    takes_nameless_ = exists("/proc/self/fd");  // by which such a file gets its name
}

bool destination::exists(const std::string& name) const noexcept {
    struct stat info{};
    return sys::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

std::string destination::claim(const std::string& base) {
    if (!exists(base) && take(base)) return base;
    known_base& known = bases_[base];
    while (known.next <= number_max) {
        std::string name = numbered(base, known.next);
        ++known.next;
        if (claimed_.contains(hash_of(name))) continue;
        if (exists(name)) {
            known.present.add(std::move(name));
            continue;
        }
        take(name);
        return name;
    }
    throw too_many(base);
}

std::string destination::claim_to_replace(const std::string& base) {
    std::string name = base;
    if (!take(name)) {
        unsigned& next = bases_[base].next;
        do {
            if (next > number_max) throw too_many(base);
            name = numbered(base, next++);
        } while (!take(name));
    }
    refuse_special(name);
    return name;
}

present_files* destination::present(const std::string& base) {
    const auto known = bases_.find(base);
    return known == bases_.end() || known->second.present.empty() ? nullptr : &known->second.present;
}

failure destination::too_many(const std::string& base) const {
    return {reason::file, "too many files named " + path_of(base)};
}

bool destination::take(const std::string& name) { return claimed_.insert(hash_of(name)).second; }

std::optional<std::string> destination::noted_part(const std::string& url) {
    const auto found = parts_.find(url);
    if (found == parts_.end()) return std::nullopt;
    std::string name = std::move(found->second.front());
    found->second.erase(found->second.begin());
    if (found->second.empty()) parts_.erase(found);
    return name;
}

void destination::refuse_special(const std::string& name) const {
    struct stat info{};
    if (sys::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(info.st_mode))
        throw failure{reason::file, "cannot write " + path_of(name) + ": not a regular file"};
}

std::string destination::path_of(const std::string& name) const {
    if (path_ == ".") return name;
    return path_.ends_with('/') ? path_ + name : path_ + "/" + name;
}

}  // namespace fetch
