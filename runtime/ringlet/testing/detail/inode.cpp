// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/filesystem.hpp>
#include <ringlet/testing/detail/inode.hpp>

#include <ratio>

#include <sys/sysmacros.h>
#include <unistd.h>

namespace ringlet::testing::detail {

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

timespec volume::now() const noexcept {
    const auto passed = where->now().time_since_epoch().count();
    return {.tv_sec = epoch + passed / std::nano::den, .tv_nsec = passed % std::nano::den};
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

}  // namespace ringlet::testing::detail
