// SPDX-License-Identifier: MIT
#include "file_digest.hpp"

#include <ringlet/io/offload.hpp>

#include <vector>

namespace apps {
namespace {

// Hashing less than that is done before another thread knows of it.
constexpr std::size_t offloaded_bytes_min = std::size_t{16} * 1024;
constexpr std::size_t piece_bytes = std::size_t{256} * 1024;

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

ringlet::task<std::uint64_t> add_file(digest& to, ringlet::fs::file& file, std::uint64_t from) {
    std::vector<std::byte> piece(piece_bytes);
    for (std::uint64_t at = from;;) {
        const std::size_t got = co_await file.read_full(piece, at);
        if (got == 0) co_return at - from;
        co_await add(to, std::span{piece}.first(got));
        at += got;
    }
}

}  // namespace apps
