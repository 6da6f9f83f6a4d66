// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/filesystem.hpp>

#include <climits>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace ringlet::testing::detail {
namespace {

constexpr mode_t permission_bits = 07777;
constexpr mode_t read_bits = 0444;
constexpr mode_t write_bits = 0222;
constexpr mode_t pass_bits = 0111;
constexpr std::uint64_t page_bytes = 4096;
constexpr int links_followed_max = 40;
constexpr std::size_t transfer_bytes_max = 0x7ffff000;

// Bytes at offsets up to 2^63; those that were never written are 0 and take no memory.
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

// Which bytes of a file have room on the disk.
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

    // How far from `from` towards `to` one gets with `room` more bytes.
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

    // A directory's.
    std::map<std::string, std::shared_ptr<dentry>, std::less<>> entries;
    std::map<std::int64_t, dentry*> listing;  // by their d_off

    std::string target;  // a symbolic link's

    // flock(2)'s.
    std::vector<const open_file*> lockers;
    bool locked_alone = false;
};

}  // namespace

struct volume {
    explicit volume(world& its_world) noexcept : where{&its_world} {}

    timespec now() const noexcept {
        const auto passed = where->now().time_since_epoch().count();
        return {.tv_sec = epoch + passed / std::nano::den, .tv_nsec = passed % std::nano::den};
    }
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

namespace {

inode::inode(std::shared_ptr<volume> its_volume, mode_t its_mode)
    : owner{std::move(its_volume)},
      number{++owner->last_inode},
      mode{its_mode},
      accessed{owner->now()},
      modified{accessed},
      changed{accessed} {}

inode::~inode() { owner->used -= stored.total(); }

void inode::touch() noexcept { modified = changed = owner->now(); }

void inode::describe(struct stat& info) const noexcept {
    info = {};
    info.st_dev = makedev(0, 42);
    info.st_ino = number;
    info.st_mode = mode;
    info.st_nlink = links;
    info.st_uid = ::geteuid();
    info.st_gid = ::getegid();
    info.st_blksize = page_bytes;
    const std::uint64_t bytes = is_directory() ? page_bytes : is_link() ? target.size() : size;
    info.st_size = static_cast<off_t>(bytes);
    const std::uint64_t pages = is_directory() ? 1 : stored.pages();
    info.st_blocks = static_cast<blkcnt_t>(pages * (page_bytes / 512));
    info.st_atim = accessed;
    info.st_mtim = modified;
    info.st_ctim = changed;
}

void inode::truncate(std::uint64_t new_size) noexcept {
    owner->used -= stored.total();
    stored.cut(new_size);
    owner->used += stored.total();
    content.cut(new_size);
    size = new_size;
    touch();
}

std::uint64_t inode::reserve(std::uint64_t from, std::uint64_t to) {
    const std::uint64_t end = stored.reach(from, to, owner->room());
    owner->used -= stored.total();
    stored.add(from, end);
    owner->used += stored.total();
    return end;
}

std::size_t inode::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    const std::uint64_t end = reserve(offset, offset + bytes.size());
    const auto count = static_cast<std::size_t>(end - offset);
    if (count == 0) return 0;
    content.write(offset, bytes.first(count));
    size = std::max(size, end);
    touch();
    return count;
}

std::shared_ptr<dentry> parent_of(const dentry& entry) {
    return entry.is_removed() ? entry.removed_from : entry.parent.lock();
}

bool is_below_or_same(std::shared_ptr<dentry> entry, const dentry* ancestor) {
    for (; entry; entry = parent_of(*entry))
        if (entry.get() == ancestor) return true;
    return false;
}

std::string path_of(const dentry& entry) {
    if (entry.name.empty()) return "/";
    std::string path = '/' + entry.name;
    for (auto up = parent_of(entry); up && !up->name.empty(); up = parent_of(*up)) path.insert(0, '/' + up->name);
    if (entry.is_removed()) path += " (deleted)";
    return path;
}

void attach(const std::shared_ptr<dentry>& parent, const std::shared_ptr<dentry>& entry, std::string name) {
    inode& folder = *parent->node;
    // An order of the seed's, as that of ext4 depends on its hashes. 0 to 2 are the start, "." and "..".
    do {
        entry->place_in_listing = static_cast<std::int64_t>(3 + (folder.owner->where->random() >> 2));
    } while (!folder.listing.emplace(entry->place_in_listing, entry.get()).second);
    entry->name = std::move(name);
    entry->parent = parent;
    folder.entries.emplace(entry->name, entry);
    if (entry->node->is_directory()) ++folder.links;
    folder.touch();
}

void detach(const std::shared_ptr<dentry>& entry) {
    inode& folder = *entry->parent.lock()->node;
    folder.listing.erase(entry->place_in_listing);
    folder.entries.erase(folder.entries.find(entry->name));
    if (entry->node->is_directory()) --folder.links;
    folder.touch();
}

void remove(const std::shared_ptr<dentry>& entry) {
    detach(entry);
    entry->removed_from = entry->parent.lock();
    if (entry->node->is_directory()) {
        entry->node->links = 0;
    } else {
        --entry->node->links;
    }
    entry->node->changed = entry->node->owner->now();
}

std::shared_ptr<dentry> make_entry(std::shared_ptr<inode> node) {
    node->links = node->is_directory() ? 2 : node->links + 1;
    auto entry = std::make_shared<dentry>();
    entry->node = std::move(node);
    return entry;
}

// --- open files ---

// What all have in common, and all there is of one opened with O_PATH.
class opened : public open_file {
public:
    opened(world& where, std::shared_ptr<dentry> entry, int flags) noexcept
        : open_file{where}, entry_{std::move(entry)}, flags_{flags} {
        status_flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
    }

    const std::shared_ptr<dentry>& entry() const noexcept { return entry_; }

    std::string describe() const override { return path_of(*entry_); }
    std::int64_t stat(struct stat& info) const noexcept override {
        node().describe(info);
        return 0;
    }
    std::int64_t read(std::span<std::byte>, std::int64_t offset) override { return offset < -1 ? -EINVAL : -EBADF; }
    std::int64_t write(std::span<const std::byte>, std::int64_t offset) override {
        return offset < -1 ? -EINVAL : -EBADF;
    }
    std::int64_t ioctl(unsigned long, void*) override { return -EBADF; }
    std::int64_t sync() override { return -EBADF; }
    std::int64_t allocate(int, std::int64_t, std::int64_t) override { return -EBADF; }
    std::int64_t truncate(std::int64_t size) override { return size < 0 ? -EINVAL : -EBADF; }
    std::int64_t lock(int operation) override { return is_lock(operation) ? -EBADF : -EINVAL; }
    std::int64_t change_mode(mode_t) override { return -EBADF; }
    std::int64_t list(std::span<std::byte>) override { return -EBADF; }

protected:
    static bool is_lock(int operation) noexcept {
        const int kind = operation & ~LOCK_NB;
        return kind == LOCK_SH || kind == LOCK_EX || kind == LOCK_UN;
    }
    inode& node() const noexcept { return *entry_->node; }
    bool is_readable() const noexcept { return (flags_ & O_ACCMODE) == O_RDONLY || (flags_ & O_ACCMODE) == O_RDWR; }
    bool is_writable() const noexcept { return (flags_ & O_ACCMODE) == O_WRONLY || (flags_ & O_ACCMODE) == O_RDWR; }

private:
    std::shared_ptr<dentry> entry_;
    int flags_;
};

// What files and directories have in common.
class opened_node : public opened {
public:
    using opened::opened;
    ~opened_node() override { unlock(); }

    std::int64_t ioctl(unsigned long, void*) override { return -ENOTTY; }
    std::int64_t allocate(int, std::int64_t offset, std::int64_t bytes) override {
        return offset < 0 || bytes <= 0 ? -EINVAL : -EBADF;
    }

    std::int64_t lock(int operation) override {
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

    std::int64_t change_mode(mode_t mode) override {
        node().mode = (node().mode & S_IFMT) | (mode & permission_bits);
        node().changed = node().owner->now();
        return 0;
    }

private:
    bool holds_lock() const noexcept { return std::ranges::find(node().lockers, this) != node().lockers.end(); }
    void unlock() noexcept {
        if (std::erase(node().lockers, this) != 0) node().locked_alone = false;
    }
};

class opened_file final : public opened_node {
public:
    using opened_node::opened_node;

    std::int64_t read(std::span<std::byte> bytes, std::int64_t offset) override {
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

    std::int64_t peek(std::span<std::byte> bytes) override { return read(bytes, static_cast<std::int64_t>(position_)); }

    std::int64_t write(std::span<const std::byte> bytes, std::int64_t offset) override {
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

    std::int64_t sync() override { return where().happens(fault::disk_error) ? -EIO : 0; }

    std::int64_t allocate(int mode, std::int64_t offset, std::int64_t bytes) override {
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

    std::int64_t truncate(std::int64_t size) override {
        if (size < 0 || !is_writable()) return -EINVAL;
        node().truncate(static_cast<std::uint64_t>(size));
        return 0;
    }

    std::int64_t list(std::span<std::byte>) override { return -ENOTDIR; }

private:
    std::uint64_t position_ = 0;
};

class opened_directory final : public opened_node {
public:
    using opened_node::opened_node;

    std::int64_t read(std::span<std::byte>, std::int64_t offset) override { return offset < -1 ? -EINVAL : -EISDIR; }
    std::int64_t sync() override { return 0; }
    std::int64_t truncate(std::int64_t) override { return -EINVAL; }

    std::int64_t list(std::span<std::byte> out) override {
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

private:
    static bool append(std::span<std::byte> out, std::size_t& filled, const inode& what, std::string_view name,
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

    std::int64_t position_ = 0;  // the d_off of the last entry that was listed
};

constexpr std::uint64_t tmpfile_bit = O_TMPFILE & ~O_DIRECTORY;
constexpr std::uint64_t open_flags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |
                                     O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_TMPFILE | O_NOFOLLOW |
                                     O_NOATIME | O_CLOEXEC | O_PATH;
constexpr std::uint64_t path_flags = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
constexpr std::uint64_t resolve_flags =
    RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;

bool has(std::uint64_t bits, std::uint64_t wanted) noexcept { return (bits & wanted) != 0; }

std::int64_t check(const open_how& how) noexcept {
    if (has(how.flags, ~open_flags) || has(how.resolve, ~resolve_flags)) return -EINVAL;
    if (has(how.resolve, RESOLVE_BENEATH) && has(how.resolve, RESOLVE_IN_ROOT)) return -EINVAL;
    const bool makes = has(how.flags, O_CREAT | tmpfile_bit);
    if (has(how.mode, makes ? ~std::uint64_t{permission_bits} : ~std::uint64_t{0})) return -EINVAL;
    if (has(how.flags, O_CREAT) && has(how.flags, O_DIRECTORY)) return -EINVAL;  // since Linux 6.3
    if (has(how.flags, O_PATH) && has(how.flags, ~path_flags)) return -EINVAL;
    if (has(how.flags, tmpfile_bit)) {
        if (!has(how.flags, O_DIRECTORY) || (how.flags & O_ACCMODE) == O_RDONLY) return -EINVAL;
        return -EOPNOTSUPP;
    }
    if (has(how.resolve, RESOLVE_CACHED) && has(how.flags, O_CREAT | O_TRUNC)) return -EAGAIN;
    return 0;
}

}  // namespace

open_how how_of(int flags, mode_t mode) noexcept {
    open_how how{};
    how.flags = static_cast<unsigned>(flags) & open_flags;
    if (has(how.flags, O_PATH)) how.flags &= path_flags;
    if (has(how.flags, O_CREAT | tmpfile_bit)) how.mode = mode & permission_bits;
    return how;
}

// --- paths ---

struct filesystem::walk_options {
    enum class last_link : std::uint8_t {
        follow,
        follow_with_slash,  // "link/", not "link"
        keep,               // the name counts, not what it leads to; the caller checks its length
    };
    last_link last = last_link::follow;
    std::uint64_t resolve = 0;
    bool for_creation = false;  // by open(2)
    bool any_permission = false;
};

struct filesystem::place {
    enum class last : std::uint8_t { name, dot, dot_dot, root };

    std::shared_ptr<dentry> parent;
    std::shared_ptr<dentry> found;
    std::string name;
    bool slash = false;  // after the name
    last kind = last::name;

    // Whether names can be added here and taken away.
    std::int64_t check_changeable() const noexcept {
        if (parent->is_removed()) return -ENOENT;
        return (parent->node->mode & write_bits) != 0 && (parent->node->mode & pass_bits) != 0 ? 0 : -EACCES;
    }
};

std::int64_t filesystem::walk(open_file* directory, const char* path, const walk_options& options, place& out) const {
    using last_link = walk_options::last_link;
    if (path == nullptr) return -EFAULT;
    const std::size_t length = ::strnlen(path, PATH_MAX);
    if (length == PATH_MAX) return -ENAMETOOLONG;
    if (length == 0) return -ENOENT;

    const bool beneath = has(options.resolve, RESOLVE_BENEATH);
    const bool confined = beneath || has(options.resolve, RESOLVE_IN_ROOT);
    if (path[0] == '/' && beneath) return -EXDEV;
    std::shared_ptr<dentry> here = root_;
    if (directory != nullptr && (path[0] != '/' || confined)) {
        const auto* start = dynamic_cast<const opened*>(directory);
        if (start == nullptr || !start->entry()->node->is_directory()) return -ENOTDIR;
        here = start->entry();
    }
    const std::shared_ptr<dentry> top = confined ? here : root_;

    std::string rest{path, length};
    std::size_t at = 0;
    int links_followed = 0;
    // Linux compares an absolute link's file system with that of a root it may not have looked up yet.
    bool knows_root = path[0] == '/' || confined;
    for (;;) {
        at = rest.find_first_not_of('/', at);
        if (at == std::string::npos) {
            out = {here, here, {}, false, place::last::root};
            return 0;
        }
        const std::size_t end = std::min(rest.find('/', at), rest.size());
        const std::size_t next = rest.find_first_not_of('/', end);
        const bool is_last = next == std::string::npos;
        const bool slash = end < rest.size();
        const std::string_view name = std::string_view{rest}.substr(at, end - at);
        if (!options.any_permission && (here->node->mode & pass_bits) == 0) return -EACCES;

        if (name == "." || name == "..") {
            if (name == "..") {
                knows_root = true;
                if (here == top && beneath) return -EXDEV;
                if (here != top) here = parent_of(*here);
                if (!here) return -ENOENT;
            }
            if (is_last) {
                out = {here, here, {}, false, name == "." ? place::last::dot : place::last::dot_dot};
                return 0;
            }
            at = next;
            continue;
        }

        const bool is_kept = is_last && options.last == last_link::keep;
        if (name.size() > NAME_MAX && !is_kept) return -ENAMETOOLONG;
        if (is_last && slash && options.for_creation) return -EISDIR;
        std::shared_ptr<dentry> found = here->find(name);
        if (!found) {
            if (!is_last) return -ENOENT;
            out = {here, nullptr, std::string{name}, slash, place::last::name};
            return 0;
        }
        const inode& node = *found->node;
        if (node.is_link() && (!is_last || options.last == last_link::follow ||
                               (options.last == last_link::follow_with_slash && slash))) {
            if (has(options.resolve, RESOLVE_NO_SYMLINKS) || ++links_followed > links_followed_max) return -ELOOP;
            if (node.target.front() == '/') {
                if (beneath || (has(options.resolve, RESOLVE_NO_XDEV) && !knows_root)) return -EXDEV;
                here = top;
                knows_root = true;
            }
            rest = node.target + rest.substr(end);
            at = 0;
            continue;
        }
        if (!node.is_directory() && (!is_last || (slash && !is_kept))) return -ENOTDIR;
        if (is_last) {
            out = {here, std::move(found), std::string{name}, slash, place::last::name};
            return 0;
        }
        here = std::move(found);
        at = next;
    }
}

std::int64_t filesystem::walk_to_new(open_file* directory, const char* path, bool is_directory, place& out) const {
    if (const auto error = walk(directory, path, {.last = walk_options::last_link::keep}, out); error != 0)
        return error;
    if (out.found) return -EEXIST;
    if (out.name.size() > NAME_MAX) return -ENAMETOOLONG;
    if (out.slash && !is_directory) return -ENOENT;
    return out.check_changeable();
}

// --- the calls ---

filesystem::filesystem(world& where)
    : volume_{std::make_shared<volume>(where)}, root_{make_entry(std::make_shared<inode>(volume_, S_IFDIR | 0755))} {
    attach(root_, make_entry(std::make_shared<inode>(volume_, S_IFDIR | 01777)), "tmp");
}

filesystem::~filesystem() = default;

std::int64_t filesystem::open(open_file* directory, const char* path, const open_how& how,
                              std::shared_ptr<open_file>& out) {
    using last_link = walk_options::last_link;
    if (const auto error = check(how); error != 0) return error;
    const auto flags = static_cast<int>(how.flags);
    const bool creates = has(how.flags, O_CREAT);
    const bool exclusive = creates && has(how.flags, O_EXCL);

    place where;
    const walk_options options{
        .last = exclusive || has(how.flags, O_NOFOLLOW) ? last_link::follow_with_slash : last_link::follow,
        .resolve = how.resolve,
        .for_creation = creates};
    if (const auto error = walk(directory, path, options, where); error != 0) return error;

    if (!where.found) {
        if (!creates) return -ENOENT;
        if (const auto error = where.check_changeable(); error != 0) return error;
        const auto mode = static_cast<mode_t>(how.mode) & ~umask_;
        where.found = make_entry(std::make_shared<inode>(volume_, S_IFREG | mode));
        attach(where.parent, where.found, std::move(where.name));
        out = std::make_shared<opened_file>(*volume_->where, std::move(where.found), flags);
        return 0;
    }

    inode& node = *where.found->node;
    if (exclusive) return -EEXIST;
    if (creates && node.is_directory()) return -EISDIR;
    if (has(how.flags, O_DIRECTORY) && !node.is_directory()) return -ENOTDIR;
    if (has(how.flags, O_PATH)) {
        out = std::make_shared<opened>(*volume_->where, std::move(where.found), flags);
        return 0;
    }
    if (node.is_link()) return -ELOOP;
    const bool reads = (flags & O_ACCMODE) != O_WRONLY;
    const bool writes = (flags & O_ACCMODE) != O_RDONLY || has(how.flags, O_TRUNC);
    if (writes && node.is_directory()) return -EISDIR;
    if (reads && (node.mode & read_bits) == 0) return -EACCES;
    if (writes && (node.mode & write_bits) == 0) return -EACCES;
    if (node.is_directory()) {
        out = std::make_shared<opened_directory>(*volume_->where, std::move(where.found), flags);
        return 0;
    }
    if (has(how.flags, O_TRUNC)) node.truncate(0);
    out = std::make_shared<opened_file>(*volume_->where, std::move(where.found), flags);
    return 0;
}

std::int64_t filesystem::stat(open_file* directory, const char* path, int flags, struct stat& info) const {
    using last_link = walk_options::last_link;
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) != 0) return -EINVAL;
    if ((flags & AT_EMPTY_PATH) != 0 && path != nullptr && *path == '\0') {
        if (directory != nullptr) return directory->stat(info);
        path = ".";
    }
    place where;
    const walk_options options{.last = (flags & AT_SYMLINK_NOFOLLOW) != 0 ? last_link::follow_with_slash
                                                                          : last_link::follow};
    if (const auto error = walk(directory, path, options, where); error != 0) return error;
    if (!where.found) return -ENOENT;
    where.found->node->describe(info);
    return 0;
}

std::int64_t filesystem::link(open_file* from, const char* path, open_file* to, const char* new_path) {
    place old;
    place fresh;
    const walk_options options{.last = walk_options::last_link::follow_with_slash};
    if (const auto error = walk(from, path, options, old); error != 0) return error;
    if (!old.found) return -ENOENT;
    if (const auto error = walk_to_new(to, new_path, false, fresh); error != 0) return error;
    if (old.found->node->is_directory()) return -EPERM;
    attach(fresh.parent, make_entry(old.found->node), std::move(fresh.name));
    old.found->node->changed = volume_->now();
    return 0;
}

std::int64_t filesystem::unlink(open_file* directory, const char* path, int flags) {
    if ((flags & ~AT_REMOVEDIR) != 0) return -EINVAL;
    const bool of_directory = flags != 0;
    place where;
    if (const auto error = walk(directory, path, {.last = walk_options::last_link::keep}, where); error != 0)
        return error;
    switch (where.kind) {
        case place::last::name:
            break;
        case place::last::dot:
            return of_directory ? -EINVAL : -EISDIR;
        case place::last::dot_dot:
            return of_directory ? -ENOTEMPTY : -EISDIR;
        case place::last::root:
            return of_directory ? -EBUSY : -EISDIR;
    }
    if (where.name.size() > NAME_MAX) return -ENAMETOOLONG;
    if (!where.found) return -ENOENT;
    const inode& node = *where.found->node;
    if (!of_directory && where.slash) return node.is_directory() ? -EISDIR : -ENOTDIR;
    if (const auto error = where.check_changeable(); error != 0) return error;
    if (of_directory != node.is_directory()) return of_directory ? -ENOTDIR : -EISDIR;
    if (!node.entries.empty()) return -ENOTEMPTY;
    remove(where.found);
    return 0;
}

std::int64_t filesystem::rename(open_file* from, const char* path, open_file* to, const char* new_path,
                                unsigned flags) {
    const bool exchange = (flags & RENAME_EXCHANGE) != 0;
    const bool no_replace = (flags & RENAME_NOREPLACE) != 0;
    if ((flags & ~unsigned{RENAME_NOREPLACE | RENAME_EXCHANGE}) != 0 || (exchange && no_replace)) return -EINVAL;
    place old;
    place target;
    const walk_options options{.last = walk_options::last_link::keep};
    if (const auto error = walk(from, path, options, old); error != 0) return error;
    if (const auto error = walk(to, new_path, options, target); error != 0) return error;

    // The order in which Linux looks decides which of several errors is given.
    if (old.kind != place::last::name) return -EBUSY;
    if (target.kind != place::last::name) return no_replace ? -EEXIST : -EBUSY;
    if (old.name.size() > NAME_MAX) return -ENAMETOOLONG;
    if (!old.found) return -ENOENT;
    if (target.name.size() > NAME_MAX) return -ENAMETOOLONG;
    if (no_replace && target.found) return -EEXIST;
    if (exchange && !target.found) return -ENOENT;
    const bool moves_directory = old.found->node->is_directory();
    const bool onto_directory = target.found && target.found->node->is_directory();
    if (exchange && !onto_directory && target.slash) return -ENOTDIR;
    if (!moves_directory && (old.slash || (!exchange && target.slash))) return -ENOTDIR;
    if (is_below_or_same(target.parent, old.found.get())) return -EINVAL;
    if (target.found && is_below_or_same(old.parent, target.found.get())) return exchange ? -EINVAL : -ENOTEMPTY;
    if (target.found && target.found->node == old.found->node) return 0;
    if (const auto error = old.check_changeable(); error != 0) return error;
    if (const auto error = target.check_changeable(); error != 0) return error;
    if (target.found && !exchange) {
        if (moves_directory && !onto_directory) return -ENOTDIR;
        if (!moves_directory && onto_directory) return -EISDIR;
        if (!target.found->node->entries.empty()) return -ENOTEMPTY;
        remove(target.found);
    }

    detach(old.found);
    if (exchange) {
        detach(target.found);
        attach(old.parent, target.found, std::move(old.name));
        target.found->node->changed = volume_->now();
    }
    attach(target.parent, old.found, std::move(target.name));
    old.found->node->changed = volume_->now();
    return 0;
}

std::int64_t filesystem::make_directory(open_file* directory, const char* path, mode_t mode) {
    place where;
    if (const auto error = walk_to_new(directory, path, true, where); error != 0) return error;
    const mode_t made = S_IFDIR | (mode & 01777 & ~umask_);
    attach(where.parent, make_entry(std::make_shared<inode>(volume_, made)), std::move(where.name));
    return 0;
}

std::int64_t filesystem::make_link(const char* target, open_file* directory, const char* path) {
    if (target == nullptr) return -EFAULT;
    const std::size_t length = ::strnlen(target, PATH_MAX);
    if (length == PATH_MAX) return -ENAMETOOLONG;
    if (length == 0) return -ENOENT;
    place where;
    if (const auto error = walk_to_new(directory, path, false, where); error != 0) return error;
    auto node = std::make_shared<inode>(volume_, S_IFLNK | 0777);
    node->target.assign(target, length);
    attach(where.parent, make_entry(std::move(node)), std::move(where.name));
    return 0;
}

std::int64_t filesystem::read_link(open_file* directory, const char* path, char* target, std::size_t bytes) const {
    if (bytes == 0 || bytes > INT_MAX) return -EINVAL;
    std::shared_ptr<dentry> found;
    if (path != nullptr && *path == '\0') {  // the link that `directory` itself is
        if (const auto* file = dynamic_cast<const opened*>(directory)) found = file->entry();
        if (!found || !found->node->is_link()) return -ENOENT;
    } else {
        place where;
        const walk_options options{.last = walk_options::last_link::follow_with_slash};
        if (const auto error = walk(directory, path, options, where); error != 0) return error;
        if (!where.found) return -ENOENT;
        if (!where.found->node->is_link()) return -EINVAL;
        found = std::move(where.found);
    }
    return static_cast<std::int64_t>(found->node->target.copy(target, bytes));
}

// --- for tests ---

void filesystem::put(std::string_view path, std::string_view content) {
    const std::string name{path};
    const auto require = [&](std::int64_t result) {
        if (result < 0) throw std::system_error{static_cast<int>(-result), std::system_category(), "put " + name};
    };
    for (std::size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1)) {
        const auto result = make_directory(nullptr, name.substr(0, slash).c_str(), 0755);
        if (result != -EEXIST) require(result);
    }
    place where;
    require(walk(nullptr, name.c_str(), {.for_creation = true, .any_permission = true}, where));
    if (!where.found) {
        where.found = make_entry(std::make_shared<inode>(volume_, S_IFREG | 0644));
        attach(where.parent, where.found, std::move(where.name));
    }
    inode& node = *where.found->node;
    if (node.is_directory()) require(-EISDIR);
    node.truncate(0);
    if (node.write(0, std::as_bytes(std::span{content})) < content.size()) require(-ENOSPC);
}

std::optional<std::string> filesystem::get(std::string_view path) const {
    place where;
    if (walk(nullptr, std::string{path}.c_str(), {.any_permission = true}, where) != 0) return std::nullopt;
    if (!where.found || !S_ISREG(where.found->node->mode)) return std::nullopt;
    const inode& node = *where.found->node;
    std::string content(node.size, '\0');
    node.content.read(0, std::as_writable_bytes(std::span{content}));
    return content;
}

std::vector<std::string> filesystem::names(std::string_view directory) const {
    place where;
    const std::string name{directory};
    auto result = walk(nullptr, name.c_str(), {.any_permission = true}, where);
    if (result == 0 && !where.found) result = -ENOENT;
    if (result == 0 && !where.found->node->is_directory()) result = -ENOTDIR;
    if (result != 0) throw std::system_error{static_cast<int>(-result), std::system_category(), "names of " + name};
    std::vector<std::string> all;
    all.reserve(where.found->node->entries.size());
    for (const auto& [entry_name, entry] : where.found->node->entries) all.push_back(entry_name);
    return all;
}

void filesystem::set_capacity(std::uint64_t bytes) noexcept { volume_->capacity = bytes; }
std::uint64_t filesystem::used() const noexcept { return volume_->used; }

}  // namespace ringlet::testing::detail
