// SPDX-License-Identifier: MIT
#include "compare/downloads/new_file.hpp"

#include "common/own_file.hpp"
#include "fetch/part_access.hpp"
#include <ringlet/io/system_calls.hpp>

#include <new>
#include <system_error>

#include <fcntl.h>

namespace comparison {
namespace {

namespace sys = ringlet::io::sys;

// Some file systems tell of a failed write only by close(2). The lock stays with the other descriptor.
std::error_code error_of_closing(int fd) noexcept {
    const int twin = sys::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return twin >= 0 && sys::close(twin) != 0 ? fetch::last_error() : std::error_code{};
}

}  // namespace

new_file::~new_file() {
    if (!file_ || named_) return;
    try {
        const int directory = session_.directory().directory().get();
        const std::string name = part_name();
        if (apps::stands_under(directory, name, file_->descriptor().get())) sys::unlinkat(directory, name.c_str(), 0);
    } catch (const std::bad_alloc&) {  // then it stays; the next run takes it over
    }
}

std::string new_file::part_name() const { return fetch::part_name_of(name_); }

void new_file::open() {
    for (;;) {
        file_ = fetch::open_part(session_.directory(), part_name());
        if (file_) return;
        name_ = session_.another_name(base_);
    }
}

void new_file::write(std::span<const std::byte> bytes) {
    const std::error_code failed = pace_.write_at_once(file_->descriptor(), bytes, bytes_);
    if (failed) throw fetch::file_failure("write", session_.directory().path_of(part_name()), failed);
}

std::string new_file::finish() {
    const fetch::destination& where = session_.directory();
    const int directory = where.directory().get();
    const int fd = file_->descriptor().get();
    const std::string part = part_name();
    if (const auto failed = error_of_closing(fd)) throw fetch::file_failure("write", where.path_of(part), failed);
    sys::fchmod(fd, where.file_mode());  // not every file system has modes
    for (;;) {
        if (!apps::stands_under(directory, part, fd))
            throw fetch::failure{fetch::reason::file, where.path_of(part) + ": somebody has taken it away"};
        std::string path = where.path_of(name_);
        const std::error_code failed = apps::give_name(directory, part, name_, false);
        named_ = !failed;
        if (named_) return path;
        if (failed != std::errc::file_exists) throw fetch::file_failure("cannot rename to", path, failed);
        name_ = session_.another_name(base_);  // somebody made a file of this name meanwhile
    }
}

}  // namespace comparison
