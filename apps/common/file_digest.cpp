// SPDX-License-Identifier: MIT
#include "file_digest.hpp"

#include <ringlet/io/offload.hpp>
#include <ringlet/io/system_calls.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <system_error>

namespace apps {
namespace {

// Hashing less than that is done before another thread knows of it.
constexpr std::size_t offloaded_bytes_min = std::size_t{16} * 1024;
// What is read at a time stays in the first caches until it is hashed.
constexpr std::size_t piece_bytes = std::size_t{32} * 1024;
// Of a file at a time: a thread does not belong to one for longer.
constexpr std::uint64_t turn_bytes = std::uint64_t{8} << 20;

struct hash_job {
    digest* to;
    std::span<const std::byte> bytes;
    void operator()() const noexcept { to->update(bytes); }
};

}  // namespace

ringlet::task<> add(digest& to, std::span<const std::byte> bytes) {
    hash_job job{&to, bytes};
    if (bytes.size() < offloaded_bytes_min)
        job();
    else
        co_await ringlet::io::offload(job);
}

std::uint64_t add_range(digest& into, ringlet::io::fd_ref file, std::uint64_t from, std::uint64_t to) {
    std::array<std::byte, piece_bytes> piece;
    for (std::uint64_t at = from;;) {
        const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), to - at));
        if (wanted == 0) return at - from;
        const ssize_t got = ringlet::io::sys::pread(file.get(), piece.data(), wanted, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error{errno, std::generic_category(), "read"};
        if (got == 0) return at - from;
        into.update(std::span{piece}.first(static_cast<std::size_t>(got)));
        at += static_cast<std::uint64_t>(got);
    }
}

ringlet::task<std::uint64_t> add_file(digest& to, const ringlet::fs::file& file, std::uint64_t from) {
    for (std::uint64_t at = from;;) {
        const std::uint64_t got =
            co_await ringlet::io::offload(&add_range, std::ref(to), file.descriptor(), at, at + turn_bytes);
        if (got == 0) co_return at - from;
        at += got;
    }
}

}  // namespace apps
