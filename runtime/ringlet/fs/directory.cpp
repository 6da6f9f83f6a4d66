// SPDX-License-Identifier: MIT
#include <ringlet/fs/directory.hpp>
#include <ringlet/io/offload.hpp>
#include <ringlet/io/op/renameat.hpp>
#include <ringlet/io/op/unlinkat.hpp>
#include <ringlet/io/system_calls.hpp>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringlet::fs {
namespace {

const io::fd_ref here{AT_FDCWD};

kind kind_of(unsigned char type) {
    switch (type) {
        case DT_REG:
            return kind::regular;
        case DT_DIR:
            return kind::directory;
        case DT_LNK:
            return kind::symlink;
        case DT_UNKNOWN:
            return kind::unknown;
        default:
            return kind::other;
    }
}

[[noreturn]] void raise_list(int error, const std::string& name) {
    throw std::system_error{error, std::generic_category(), "list " + name};
}

// On a pool's thread.
std::vector<directory_entry> read_entries(const io::owned_fd& directory, const std::string& name) {
    constexpr std::size_t block_bytes = std::size_t{32} * 1024;
    std::vector<directory_entry> entries;
    std::vector<std::byte> block(block_bytes);
    for (;;) {
        const ssize_t bytes = io::sys::getdents64(directory.get(), block.data(), block.size());
        if (bytes < 0) raise_list(errno, name);
        if (bytes == 0) return entries;
        for (std::size_t at = 0; at < static_cast<std::size_t>(bytes);) {
            const auto& entry = *reinterpret_cast<const dirent64*>(&block[at]);
            at += entry.d_reclen;
            const std::string_view text = entry.d_name;
            if (text != "." && text != "..") entries.push_back({std::string{text}, kind_of(entry.d_type)});
        }
    }
}

std::vector<directory_entry> list_path(const std::string& path) {
    const io::owned_fd directory{io::sys::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory) raise_list(errno, path);
    return read_entries(directory, path);
}
// Opened anew, because a duplicate would share the position.
std::vector<directory_entry> list_open(int fd) {
    const io::owned_fd directory{io::sys::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const int error = errno;  // describe_fd changes it
    const std::string name = io::detail::describe_fd(fd);
    if (!directory) raise_list(error, name);
    return read_entries(directory, name);
}

}  // namespace

task<std::vector<directory_entry>> list(std::string path) {
    auto entries = co_await io::offload(list_path, std::move(path));
    co_return entries;
}

task<std::vector<directory_entry>> list(io::fd_ref directory) {
    auto entries = co_await io::offload(list_open, directory.get());
    co_return entries;
}

task<> rename(std::string from, std::string to) { co_await io::renameat_op{here, from.c_str(), here, to.c_str()}; }

task<> rename_new(std::string from, std::string to) {
    co_await io::renameat_op{here, from.c_str(), here, to.c_str(), RENAME_NOREPLACE};
}

task<> unlink(std::string path) { co_await io::unlinkat_op{here, path.c_str()}; }

task<bool> try_unlink(std::string path) {
    const result<void> done = co_await as_result(io::unlinkat_op{here, path.c_str()});
    if (done) co_return true;
    if (done.error() == std::errc::no_such_file_or_directory) co_return false;
    throw std::system_error{done.error(), "unlink " + path};
}

task<> remove_directory(std::string path) { co_await io::unlinkat_op{here, path.c_str(), AT_REMOVEDIR}; }

task<bool> create_directory(std::string path, unsigned permissions) {
    auto call = [](const std::string& name, unsigned bits) {
        return io::sys::mkdir(name.c_str(), bits) == 0 ? 0 : errno;
    };
    const int error = co_await io::offload(call, path, permissions);
    if (error == 0) co_return true;
    if (error == EEXIST) co_return false;
    throw std::system_error{error, std::generic_category(), "make directory " + path};
}

}  // namespace ringlet::fs
