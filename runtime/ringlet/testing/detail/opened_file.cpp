// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/opened_file.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include <dirent.h>

namespace ringlet::testing::detail {
namespace {

constexpr std::size_t transfer_bytes_max = 0x7ffff000;

bool append(std::span<std::byte> out, std::size_t& filled, const inode& what, std::string_view name,
            std::int64_t place) noexcept {
    constexpr std::size_t name_offset = offsetof(dirent64, d_name);
    const std::size_t bytes = (name_offset + name.size() + 1 + 7) / 8 * 8;
    if (bytes > out.size() - filled) return false;
    dirent64 head{};
    head.d_ino = what.number;
    head.d_off = place;
    head.d_reclen = static_cast<unsigned short>(bytes);
    head.d_type = static_cast<unsigned char>(IFTODT(what.mode));
    const std::span<std::byte> to = out.subspan(filled, bytes);
    std::ranges::fill(to, std::byte{0});
    std::memcpy(to.data(), &head, name_offset);
    std::memcpy(to.data() + name_offset, name.data(), name.size());
    filled += bytes;
    return true;
}

}  // namespace

std::int64_t opened_node::lock(int operation) {
    if (!is_lock(operation)) return -EINVAL;
    const int kind = operation & ~LOCK_NB;
    if (kind != LOCK_UN && !is_readable() && !is_writable()) return -EBADF;
    inode& locked = node();
    if (kind != LOCK_UN && locked.locked_alone == (kind == LOCK_EX) && holds_lock()) return 0;
    unlock();  // as Linux does: who cannot change its lock has lost it
    if (kind == LOCK_UN) return 0;
    if (!locked.lockers.empty() && (kind == LOCK_EX || locked.locked_alone)) return -EWOULDBLOCK;
    locked.lockers.push_back(this);
    locked.locked_alone = kind == LOCK_EX;
    return 0;
}

std::int64_t opened_node::change_mode(mode_t mode) {
    node().mode = (node().mode & S_IFMT) | (mode & permission_bits);
    node().changed = node().owner->now();
    return 0;
}

std::int64_t opened_file::read(std::span<std::byte> bytes, std::int64_t offset) {
    if (offset < -1) return -EINVAL;
    if (!is_readable()) return -EBADF;
    if (where().happens(fault::disk_error)) return -EIO;
    const std::uint64_t from = offset == -1 ? position_ : static_cast<std::uint64_t>(offset);
    if (from >= node().size) return 0;
    const std::uint64_t count = std::min({bytes.size(), node().size - from, transfer_bytes_max});
    node().content.read(from, bytes.first(count));
    if (offset == -1) position_ += count;
    return static_cast<std::int64_t>(count);
}

std::int64_t opened_file::write(std::span<const std::byte> bytes, std::int64_t offset) {
    if (offset < -1) return -EINVAL;
    if (!is_writable()) return -EBADF;
    std::uint64_t from = offset == -1 ? position_ : static_cast<std::uint64_t>(offset);
    if ((status_flags & O_APPEND) != 0) from = node().size;  // pwrite(2) appends, too: its BUGS
    bytes = bytes.first(std::min(bytes.size(), transfer_bytes_max));
    if (from + bytes.size() > std::numeric_limits<std::int64_t>::max()) return -EINVAL;
    if (bytes.empty()) return 0;
    if (where().happens(fault::disk_error)) return -EIO;
    if (where().happens(fault::no_space)) bytes = bytes.first(where().below(bytes.size()));
    const std::size_t count = node().write(from, bytes);
    if (count == 0) return -ENOSPC;
    if (offset == -1) position_ = from + count;
    return static_cast<std::int64_t>(count);
}

std::int64_t opened_file::allocate(int mode, std::int64_t offset, std::int64_t bytes) {
    if (offset < 0 || bytes <= 0) return -EINVAL;
    if (!is_writable()) return -EBADF;
    if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) return -EOPNOTSUPP;
    if (bytes > std::numeric_limits<std::int64_t>::max() - offset) return -EFBIG;
    const auto from = static_cast<std::uint64_t>(offset);
    const auto to = from + static_cast<std::uint64_t>(bytes);
    if (where().happens(fault::no_space)) {
        node().reserve(from, from + where().below(to - from));
        return -ENOSPC;
    }
    if (node().reserve(from, to) < to) return -ENOSPC;
    if ((mode & FALLOC_FL_KEEP_SIZE) == 0) node().size = std::max(node().size, to);
    node().touch();
    return 0;
}

std::int64_t opened_file::truncate(std::int64_t size) {
    if (size < 0 || !is_writable()) return -EINVAL;
    node().truncate(static_cast<std::uint64_t>(size));
    return 0;
}

std::int64_t opened_file::attribute(std::string_view name, std::span<std::byte> into) {
    const auto found = node().attributes.find(name);
    if (found == node().attributes.end()) return -ENODATA;
    const std::string& value = found->second;
    if (into.empty()) return static_cast<std::int64_t>(value.size());  // it only asks for the length
    if (into.size() < value.size()) return -ERANGE;
    std::memcpy(into.data(), value.data(), value.size());
    return static_cast<std::int64_t>(value.size());
}

std::int64_t opened_file::set_attribute(std::string_view name, std::string_view value) {
    node().attributes.insert_or_assign(std::string{name}, std::string{value});
    return 0;
}

std::int64_t opened_directory::list(std::span<std::byte> out) {
    if (entry()->is_removed()) return -ENOENT;
    std::size_t filled = 0;
    bool fits = true;
    const auto add = [&](const inode& what, std::string_view name, std::int64_t place) {
        fits = append(out, filled, what, name, place);
        if (fits) position_ = place;
    };
    if (position_ < 1) add(node(), ".", 1);
    if (fits && position_ < 2) {
        const std::shared_ptr<dentry> up = parent_of(*entry());
        add(up ? *up->node : node(), "..", 2);
    }
    for (auto next = node().listing.upper_bound(position_); fits && next != node().listing.end(); ++next)
        add(*next->second->node, next->second->name, next->first);
    return filled == 0 && !fits ? -EINVAL : static_cast<std::int64_t>(filled);
}

}  // namespace ringlet::testing::detail
