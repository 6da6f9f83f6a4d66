// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/filesystem.hpp>
#include <ringlet/testing/detail/inode.hpp>
#include <ringlet/testing/detail/opened_file.hpp>

#include <climits>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>

namespace ringlet::testing::detail {
namespace {

constexpr mode_t read_bits = 0444;
constexpr mode_t write_bits = 0222;
constexpr mode_t pass_bits = 0111;
constexpr int links_followed_max = 40;

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
std::uint64_t filesystem::capacity() const noexcept { return volume_->capacity; }
std::uint64_t filesystem::room() const noexcept { return volume_->room(); }
std::uint64_t filesystem::used() const noexcept { return volume_->used; }

}  // namespace ringlet::testing::detail
