// SPDX-License-Identifier: MIT
#include "fetch/destination.hpp"

#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include <ringlet/io/system_calls.hpp>

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace fetch {
namespace {

namespace sys = ringlet::io::sys;

constexpr unsigned number_max = 99'999;

mode_t mode_of_new_files() noexcept {
    const mode_t mask = sys::umask(077);  // it can only be read by setting it; no other thread runs yet
    sys::umask(mask);
    return 0666 & ~mask;
}

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

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

destination::destination(const std::string& directory)
    : path_{directory.empty() ? "." : directory}, file_mode_{mode_of_new_files()} {
    fd_ = open_directory(path_);
    if (!fd_ && errno == ENOENT) {
        const std::error_code error = make_directories(path_);
        if (error) throw file_failure("cannot use directory", path_, error);
        fd_ = open_directory(path_);
    }
    if (!fd_) throw file_failure("cannot use directory", path_, last_error());
}

bool destination::exists(const std::string& name) const {
    struct stat info{};
    return sys::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

std::string destination::claim(const std::string& base) {
    unsigned& number = next_number_[base];
    for (; number <= number_max; ++number) {
        std::string name = numbered(base, number);
        if (exists(name) || !claimed_.insert(name).second) continue;
        ++number;
        return name;
    }
    throw failure{apps::exit_code::file, "too many files named " + path_of(base)};
}

std::string destination::path_of(const std::string& name) const {
    if (path_ == ".") return name;
    return path_.ends_with('/') ? path_ + name : path_ + "/" + name;
}

}  // namespace fetch
