// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/testing/detail/open_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

namespace ringlet::testing::detail {

struct dentry;
struct volume;

inline constexpr mode_t permission_bits = 07777;
inline constexpr std::uint64_t page_bytes = 4096;

/// Bytes at offsets up to 2^63; those that were never written are 0 and take no memory.
class sparse_bytes {
public:
    void read(std::uint64_t offset, std::span<std::byte> out) const noexcept {
        while (!out.empty()) {
            const std::uint64_t within = offset % chunk_bytes;
            const std::span<std::byte> part = out.first(std::min<std::uint64_t>(out.size(), chunk_bytes - within));
            std::size_t there = 0;
            if (const auto chunk = chunks_.find(offset / chunk_bytes); chunk != chunks_.end()) {
                const std::vector<std::byte>& bytes = chunk->second;
                if (within < bytes.size()) there = std::min<std::size_t>(part.size(), bytes.size() - within);
                if (there > 0) std::memcpy(part.data(), bytes.data() + within, there);
            }
            std::ranges::fill(part.subspan(there), std::byte{0});
            out = out.subspan(part.size());
            offset += part.size();
        }
    }

    void write(std::uint64_t offset, std::span<const std::byte> in) {
        while (!in.empty()) {
            const std::uint64_t within = offset % chunk_bytes;
            const auto part = in.first(std::min<std::uint64_t>(in.size(), chunk_bytes - within));
            std::vector<std::byte>& bytes = chunks_[offset / chunk_bytes];
            if (bytes.size() < within + part.size()) bytes.resize(within + part.size());
            std::memcpy(bytes.data() + within, part.data(), part.size());
            in = in.subspan(part.size());
            offset += part.size();
        }
    }

    void cut(std::uint64_t size) noexcept {
        chunks_.erase(chunks_.lower_bound(size / chunk_bytes + (size % chunk_bytes != 0 ? 1 : 0)), chunks_.end());
        if (const auto last = chunks_.find(size / chunk_bytes);
            last != chunks_.end() && last->second.size() > size % chunk_bytes)
            last->second.resize(size % chunk_bytes);
    }

private:
    static constexpr std::uint64_t chunk_bytes = std::uint64_t{64} * 1024;
    std::map<std::uint64_t, std::vector<std::byte>> chunks_;  // each as long as what was written
};

/// Which bytes of a file have room on the disk.
class byte_ranges {
public:
    std::uint64_t total() const noexcept { return total_; }

    void add(std::uint64_t from, std::uint64_t to) {
        if (from >= to) return;
        auto next = first_reaching(from);
        while (next != ranges_.end() && next->first <= to) {
            from = std::min(from, next->first);
            to = std::max(to, next->second);
            total_ -= next->second - next->first;
            next = ranges_.erase(next);
        }
        ranges_.emplace_hint(next, from, to);
        total_ += to - from;
    }

    /// How far from `from` towards `to` one gets with `room` more bytes.
    std::uint64_t reach(std::uint64_t from, std::uint64_t to, std::uint64_t room) const noexcept {
        for (auto next = first_reaching(from); from < to; ++next) {
            const std::uint64_t hole_end = next == ranges_.end() ? to : std::min(to, next->first);
            if (hole_end > from) {
                if (hole_end - from > room) return from + room;
                room -= hole_end - from;
            }
            if (next == ranges_.end()) return to;
            from = std::max(from, next->second);
        }
        return to;
    }

    void cut(std::uint64_t size) noexcept {
        while (!ranges_.empty() && ranges_.rbegin()->second > size) {
            const auto last = std::prev(ranges_.end());
            total_ -= last->second - std::max(last->first, size);
            if (last->first >= size) {
                ranges_.erase(last);
            } else {
                last->second = size;
            }
        }
    }

    std::uint64_t pages() const noexcept {
        std::uint64_t count = 0;
        std::uint64_t counted_to = 0;
        for (const auto& [from, to] : ranges_) {
            const std::uint64_t first = std::max(from / page_bytes, counted_to);
            counted_to = (to - 1) / page_bytes + 1;
            count += counted_to - first;
        }
        return count;
    }

private:
    using map = std::map<std::uint64_t, std::uint64_t>;  // begin to end, with a gap between any two

    map::const_iterator first_reaching(std::uint64_t from) const noexcept {
        auto next = ranges_.upper_bound(from);
        if (next != ranges_.begin() && std::prev(next)->second >= from) --next;
        return next;
    }

    map ranges_;
    std::uint64_t total_ = 0;
};

struct inode {
    inode(std::shared_ptr<volume> its_volume, mode_t its_mode);
    inode(const inode&) = delete;
    inode& operator=(const inode&) = delete;
    ~inode();

    bool is_directory() const noexcept { return S_ISDIR(mode); }
    bool is_link() const noexcept { return S_ISLNK(mode); }
    void touch() noexcept;
    void describe(struct stat& info) const noexcept;
    void truncate(std::uint64_t new_size) noexcept;
    /// Gives [from, to) room on the disk as far as there is some. Result: the end of what has it.
    std::uint64_t reserve(std::uint64_t from, std::uint64_t to);
    /// Result: how many bytes there was room for.
    std::size_t write(std::uint64_t offset, std::span<const std::byte> bytes);

    std::shared_ptr<volume> owner;
    ino_t number;
    mode_t mode;
    nlink_t links = 0;
    timespec accessed;
    timespec modified;
    timespec changed;

    // A regular file's.
    std::uint64_t size = 0;
    sparse_bytes content;
    byte_ranges stored;
    std::map<std::string, std::string, std::less<>> attributes;  // user.*, xattr(7)

    // A directory's.
    std::map<std::string, std::shared_ptr<dentry>, std::less<>> entries;
    std::map<std::int64_t, dentry*> listing;  // by their d_off

    std::string target;  // a symbolic link's

    // flock(2)'s.
    std::vector<const open_file*> lockers;
    bool locked_alone = false;
};

struct volume {
    explicit volume(world& its_world) noexcept : where{&its_world} {}

    timespec now() const noexcept;
    std::uint64_t room() const noexcept { return capacity > used ? capacity - used : 0; }

    world* where;
    ino_t last_inode = 0;
    std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t used = 0;
};

/// A name of an inode.
struct dentry {
    std::shared_ptr<inode> node;
    std::string name;
    std::weak_ptr<dentry> parent;          // which owns this
    std::shared_ptr<dentry> removed_from;  // its ".." goes on to work
    std::int64_t place_in_listing = 0;

    bool is_removed() const noexcept { return removed_from != nullptr; }
    std::shared_ptr<dentry> find(std::string_view which) const {
        const auto found = node->entries.find(which);
        return found != node->entries.end() ? found->second : nullptr;
    }
};

std::shared_ptr<dentry> parent_of(const dentry& entry);
bool is_below_or_same(std::shared_ptr<dentry> entry, const dentry* ancestor);
std::string path_of(const dentry& entry);

void attach(const std::shared_ptr<dentry>& parent, const std::shared_ptr<dentry>& entry, std::string name);
void detach(const std::shared_ptr<dentry>& entry);
void remove(const std::shared_ptr<dentry>& entry);
std::shared_ptr<dentry> make_entry(std::shared_ptr<inode> node);

}  // namespace ringlet::testing::detail
