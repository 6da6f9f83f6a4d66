// SPDX-License-Identifier: MIT
#include "fetch/destination.hpp"

#include "fetch/failure.hpp"
#include "fetch/names.hpp"
#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

namespace fetch {
namespace {

namespace sys = ringlet::io::sys;

constexpr unsigned number_max = 99'999;

mode_t mode_of_new_files() noexcept {
    const mode_t mask = ::umask(077);  // it can only be read by setting it; no other thread runs yet
    ::umask(mask);
    return 0666 & ~mask;
}

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

}  // namespace

destination::destination(const std::string& directory)
    : path_{directory.empty() ? "." : directory}, file_mode_{mode_of_new_files()} {
    std::error_code error;
    std::filesystem::create_directories(path_, error);  // an error too when it exists and is a link: open tells
    fd_ = ringlet::io::owned_fd{sys::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd_) throw file_failure("cannot use directory", path_, error && errno == ENOENT ? error : last_error());
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
