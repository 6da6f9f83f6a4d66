// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/testing/detail/filesystem.hpp>

#include <cstring>
#include <set>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace ringlet::testing;
using namespace ringlet::testing::detail;

namespace {

using file = std::shared_ptr<open_file>;

// A simulated disk, and short ways to ask it.
struct disk {
    explicit disk(const fault_plan& plan = {}, std::uint64_t seed = 1) : where{seed, plan}, files{where} {}

    std::int64_t try_open(const char* path, int flags, std::uint64_t resolve = 0, open_file* directory = nullptr) {
        open_how how = how_of(flags, 0666);
        how.resolve = resolve;
        file opened;
        const auto result = files.open(directory, path, how, opened);
        CHECK((result == 0) == (opened != nullptr));
        return result;
    }
    file open(const char* path, int flags) {
        file opened;
        REQUIRE(files.open(nullptr, path, how_of(flags, 0666), opened) == 0);
        return opened;
    }
    std::int64_t rename(const char* from, const char* to, unsigned flags = 0) {
        return files.rename(nullptr, from, nullptr, to, flags);
    }
    std::int64_t unlink(const char* path) { return files.unlink(nullptr, path, 0); }
    std::int64_t remove_directory(const char* path) { return files.unlink(nullptr, path, AT_REMOVEDIR); }
    std::int64_t make_directory(const char* path, mode_t mode = 0777) {
        return files.make_directory(nullptr, path, mode);
    }
    std::int64_t make_link(const char* target, const char* path) { return files.make_link(target, nullptr, path); }
    struct stat stat(const char* path, int flags = 0) {
        struct stat info{};
        REQUIRE(files.stat(nullptr, path, flags, info) == 0);
        return info;
    }

    world where;
    filesystem files;
};

std::int64_t write(const file& to, std::string_view text, std::int64_t offset = -1) {
    return to->write(std::as_bytes(std::span{text}), offset);
}

// What one read gives: the text, or the error's number.
std::string read(const file& from, std::size_t bytes, std::int64_t offset = -1) {
    std::string text(bytes, '?');
    const auto count = from->read(std::as_writable_bytes(std::span{text}), offset);
    if (count < 0) return std::to_string(count);
    text.resize(static_cast<std::size_t>(count));
    return text;
}

std::vector<std::string> list(const file& directory, std::size_t buffer_bytes) {
    std::vector<std::string> names;
    std::vector<std::byte> buffer(buffer_bytes);
    for (;;) {
        const auto filled = directory->list(buffer);
        REQUIRE(filled >= 0);
        if (filled == 0) return names;
        for (std::size_t at = 0; at < static_cast<std::size_t>(filled);) {
            dirent64 entry{};
            std::memcpy(&entry, buffer.data() + at, offsetof(dirent64, d_name));
            CHECK(entry.d_reclen % 8 == 0);
            const char* name = reinterpret_cast<const char*>(buffer.data() + at + offsetof(dirent64, d_name));
            names.push_back(name + std::string(entry.d_type == DT_DIR ? "/" : entry.d_type == DT_LNK ? "@" : ""));
            at += entry.d_reclen;
        }
    }
}

}  // namespace

TEST_CASE("a file is written and read at offsets and at its own position", "[testing]") {
    disk d;
    const file both = d.open("/a", O_CREAT | O_RDWR);
    CHECK(write(both, "hello ") == 6);
    CHECK(write(both, "world") == 5);
    CHECK(read(both, 5).empty());
    CHECK(write(both, "W", 6) == 1);
    CHECK(read(both, 100, 6) == "World");
    CHECK(write(both, "!") == 1);
    CHECK(d.files.get("/a") == "hello World!");
    CHECK(read(both, 1, -2) == std::to_string(-EINVAL));
    CHECK(d.stat("/a").st_mode == (S_IFREG | 0644));
    CHECK(both->describe() == "/a");
    CHECK(both->is_regular());

    const file end = d.open("/a", O_WRONLY | O_APPEND);
    CHECK(write(end, "?", 0) == 1);
    CHECK(d.files.get("/a") == "hello World!?");
    CHECK(read(end, 1) == std::to_string(-EBADF));
    CHECK(write(d.open("/a", O_RDONLY), "x") == -EBADF);
    CHECK(d.open("/a", O_RDONLY)->truncate(0) == -EINVAL);
    CHECK(both->truncate(5) == 0);
    CHECK(both->truncate(7) == 0);
    CHECK(d.files.get("/a") == std::string("hello\0\0", 7));
    CHECK(d.try_open("/a", O_WRONLY | O_TRUNC) == 0);
    CHECK(d.stat("/a").st_size == 0);

    const file name_only = d.open("/a", O_PATH);
    CHECK(read(name_only, 1) == std::to_string(-EBADF));
    CHECK(write(name_only, "x") == -EBADF);
    CHECK(name_only->sync() == -EBADF);
    CHECK(name_only->is_regular());
}

TEST_CASE("what open refuses", "[testing]") {
    disk d;
    d.files.put("/dir/a", "text");
    REQUIRE(d.make_link("dir", "/to_dir") == 0);
    REQUIRE(d.make_link("nothing", "/dangling") == 0);
    CHECK(d.try_open("", O_RDONLY) == -ENOENT);
    CHECK(d.try_open("/b", O_RDONLY) == -ENOENT);
    CHECK(d.try_open("/b/c", O_CREAT | O_RDWR) == -ENOENT);
    CHECK(d.try_open("/dir/a/b", O_RDONLY) == -ENOTDIR);
    CHECK(d.try_open("/dir/a/", O_RDONLY) == -ENOTDIR);
    CHECK(d.try_open("/b/", O_CREAT | O_RDWR) == -EISDIR);
    CHECK(d.try_open("/dir", O_WRONLY) == -EISDIR);
    CHECK(d.try_open("/dir", O_RDONLY | O_TRUNC) == -EISDIR);
    CHECK(d.try_open("/dir", O_CREAT | O_RDONLY) == -EISDIR);
    CHECK(d.try_open("/dir/a", O_CREAT | O_EXCL | O_RDWR) == -EEXIST);
    CHECK(d.try_open("/dangling", O_CREAT | O_EXCL | O_RDWR) == -EEXIST);
    CHECK(d.try_open("/to_dir", O_NOFOLLOW) == -ELOOP);
    CHECK(d.try_open("/to_dir", O_NOFOLLOW | O_DIRECTORY) == -ENOTDIR);
    CHECK(d.try_open("/to_dir/", O_NOFOLLOW) == 0);
    CHECK(d.try_open("/to_dir", O_NOFOLLOW | O_PATH) == 0);
    CHECK(d.try_open("/dir/a", O_DIRECTORY) == -ENOTDIR);
    CHECK(d.try_open("/dir", O_TMPFILE | O_RDWR) == -EOPNOTSUPP);
    CHECK(d.try_open(("/" + std::string(255, 'n')).c_str(), O_RDONLY) == -ENOENT);
    CHECK(d.try_open(("/" + std::string(256, 'n')).c_str(), O_RDONLY) == -ENAMETOOLONG);
    std::string path = "/dir/a";
    while (path.size() < 4095) path.insert(0, "/");
    CHECK(d.try_open(path.c_str(), O_RDONLY) == 0);
    CHECK(d.try_open(("/" + path).c_str(), O_RDONLY) == -ENAMETOOLONG);
    const file a = d.open("/dir/a", O_RDONLY);
    CHECK(d.try_open("b", O_RDONLY, 0, a.get()) == -ENOTDIR);

    file opened;
    CHECK(d.files.open(nullptr, "/dir/a", {.flags = O_RDONLY, .mode = 0644, .resolve = 0}, opened) == -EINVAL);
    CHECK(d.files.open(nullptr, "/dir/a", {.flags = O_PATH | O_RDWR, .mode = 0, .resolve = 0}, opened) == -EINVAL);
    CHECK(d.files.open(nullptr, "/dir/a", {.flags = 1U << 31, .mode = 0, .resolve = 0}, opened) == -EINVAL);
    CHECK(d.files.open(nullptr, "/dir/a", {.flags = O_RDONLY, .mode = 0, .resolve = 0x40}, opened) == -EINVAL);
    CHECK(d.try_open("/dir/a", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT) == -EINVAL);

    CHECK(d.try_open("/dangling", O_CREAT | O_WRONLY) == 0);
    CHECK(d.files.get("/nothing") == "");
}

TEST_CASE("permissions that nobody has are checked", "[testing]") {
    disk d;
    d.files.put("/dir/a", "text");
    const file a = d.open("/dir/a", O_RDWR);
    CHECK(a->change_mode(0444) == 0);
    CHECK(d.try_open("/dir/a", O_RDONLY) == 0);
    CHECK(d.try_open("/dir/a", O_RDWR) == -EACCES);
    CHECK(a->change_mode(0200) == 0);
    CHECK(d.try_open("/dir/a", O_RDONLY) == -EACCES);
    CHECK(d.try_open("/dir/a", O_WRONLY) == 0);
    CHECK(write(a, "more") == 4);
    const file dir = d.open("/dir", O_RDONLY);
    CHECK(dir->change_mode(0555) == 0);
    CHECK(d.try_open("/dir/b", O_CREAT | O_RDWR) == -EACCES);
    CHECK(d.unlink("/dir/a") == -EACCES);
    CHECK(dir->change_mode(0644) == 0);
    CHECK(d.try_open("/dir/a", O_WRONLY) == -EACCES);
    CHECK(d.files.get("/dir/a") == "more");
    CHECK(d.make_directory("/made", 0777) == 0);
    CHECK(d.stat("/made").st_mode == (S_IFDIR | 0755));
}

TEST_CASE("symbolic links are followed, 40 at most", "[testing]") {
    disk d;
    d.files.put("/dir/sub/a", "text");
    REQUIRE(d.make_link("/dir/sub", "/link") == 0);
    REQUIRE(d.make_link("../../link/a", "/dir/sub/to_a") == 0);
    REQUIRE(d.make_link("me", "/me") == 0);
    CHECK(d.files.get("/dir/sub/to_a") == "text");
    CHECK(d.files.get("/link/../sub/./to_a") == "text");
    CHECK(d.try_open("/me", O_RDONLY) == -ELOOP);
    CHECK(d.make_link("", "/empty") == -ENOENT);
    CHECK(d.make_link("x", "/me") == -EEXIST);

    std::string last = "/dir";
    for (int i = 1; i <= 41; ++i) {
        const std::string next = "/chain" + std::to_string(i);
        REQUIRE(d.make_link(last.c_str(), next.c_str()) == 0);
        last = next;
    }
    CHECK(d.try_open("/chain40", O_RDONLY) == 0);
    CHECK(d.try_open("/chain41", O_RDONLY) == -ELOOP);

    CHECK(S_ISDIR(d.stat("/link").st_mode));
    CHECK(S_ISLNK(d.stat("/link", AT_SYMLINK_NOFOLLOW).st_mode));
    CHECK(S_ISDIR(d.stat("/link/", AT_SYMLINK_NOFOLLOW).st_mode));
    CHECK(d.stat("/link", AT_SYMLINK_NOFOLLOW).st_size == 8);
    std::string target(4, '?');
    CHECK(d.files.read_link(nullptr, "/link", target.data(), target.size()) == 4);
    CHECK(target == "/dir");
    CHECK(d.files.read_link(nullptr, "/dir", target.data(), target.size()) == -EINVAL);
    const file link = d.open("/link", O_PATH | O_NOFOLLOW);
    CHECK(d.files.read_link(link.get(), "", target.data(), target.size()) == 4);
    CHECK(d.unlink("/link") == 0);
    CHECK(d.files.get("/dir/sub/a") == "text");
}

TEST_CASE("openat2 keeps a path beneath its directory", "[testing]") {
    disk d;
    d.files.put("/site/pages/index", "index");
    d.files.put("/secret", "secret");
    REQUIRE(d.make_link("/secret", "/site/absolute") == 0);
    REQUIRE(d.make_link("../secret", "/site/up") == 0);
    REQUIRE(d.make_link("pages/../pages/index", "/site/inside") == 0);
    const file site = d.open("/site", O_PATH | O_DIRECTORY);
    const auto beneath = [&](const char* path) { return d.try_open(path, O_RDONLY, RESOLVE_BENEATH, site.get()); };
    CHECK(beneath("pages/index") == 0);
    CHECK(beneath("pages/../pages/index") == 0);
    CHECK(beneath("inside") == 0);
    CHECK(beneath(".") == 0);
    for (const char* path : {"..", "../secret", "pages/../../secret", "/site/pages/index", "absolute", "up"}) {
        CAPTURE(path);
        CHECK(beneath(path) == -EXDEV);
    }
    CHECK(d.try_open("up", O_RDONLY, 0, site.get()) == 0);

    CHECK(d.try_open("/pages/index", O_RDONLY, RESOLVE_IN_ROOT, site.get()) == 0);
    CHECK(d.try_open("../../pages/index", O_RDONLY, RESOLVE_IN_ROOT, site.get()) == 0);
    CHECK(d.try_open("absolute", O_RDONLY, RESOLVE_IN_ROOT, site.get()) == -ENOENT);
    CHECK(d.try_open("inside", O_RDONLY, RESOLVE_NO_SYMLINKS, site.get()) == -ELOOP);
    CHECK(d.try_open("inside", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS, site.get()) == 0);
    CHECK(d.try_open("pages/index", O_RDONLY, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, site.get()) == 0);
}

TEST_CASE("names are linked and removed; an open file outlives its name", "[testing]") {
    disk d;
    d.files.put("/dir/a", "text");
    CHECK(d.files.link(nullptr, "/dir/a", nullptr, "/b") == 0);
    CHECK(d.stat("/b").st_nlink == 2);
    CHECK(d.stat("/b").st_ino == d.stat("/dir/a").st_ino);
    CHECK(d.files.link(nullptr, "/dir/a", nullptr, "/b") == -EEXIST);
    CHECK(d.files.link(nullptr, "/dir", nullptr, "/c") == -EPERM);
    CHECK(d.files.link(nullptr, "/nothing", nullptr, "/c") == -ENOENT);

    CHECK(d.unlink("/dir") == -EISDIR);
    CHECK(d.unlink("/nothing") == -ENOENT);
    CHECK(d.unlink("/b/") == -ENOTDIR);
    CHECK(d.files.unlink(nullptr, "/b", 1) == -EINVAL);
    CHECK(d.remove_directory("/b") == -ENOTDIR);
    CHECK(d.remove_directory("/dir") == -ENOTEMPTY);
    CHECK(d.remove_directory("/dir/.") == -EINVAL);
    CHECK(d.remove_directory("/") == -EBUSY);
    CHECK(d.make_directory("/dir") == -EEXIST);
    CHECK(d.make_directory("/nothing/dir") == -ENOENT);

    file open = d.open("/dir/a", O_RDWR);
    CHECK(d.unlink("/dir/a") == 0);
    CHECK(d.unlink("/b") == 0);
    CHECK(d.files.get("/b") == std::nullopt);
    CHECK(open->describe() == "/dir/a (deleted)");
    CHECK(read(open, 10) == "text");
    CHECK(write(open, "more") == 4);
    CHECK(d.files.used() == 8);
    open.reset();
    CHECK(d.files.used() == 0);

    const file dir = d.open("/dir", O_RDONLY);
    CHECK(d.remove_directory("/dir") == 0);
    std::array<std::byte, 100> buffer{};
    CHECK(dir->list(buffer) == -ENOENT);
    CHECK(d.try_open("new", O_CREAT | O_RDWR, 0, dir.get()) == -ENOENT);
    CHECK(d.try_open("../tmp", O_RDONLY, 0, dir.get()) == 0);
    CHECK(d.files.names("/") == std::vector<std::string>{"tmp"});
}

TEST_CASE("rename replaces, exchanges, and refuses what would break the tree", "[testing]") {
    disk d;
    d.files.put("/a", "a");
    d.files.put("/b", "b");
    d.files.put("/dir/sub/c", "c");
    REQUIRE(d.make_directory("/empty") == 0);
    const file old_b = d.open("/b", O_RDONLY);
    CHECK(d.rename("/a", "/b", RENAME_NOREPLACE) == -EEXIST);
    CHECK(d.rename("/a", "/b") == 0);
    CHECK(d.files.get("/b") == "a");
    CHECK(d.files.get("/a") == std::nullopt);
    CHECK(read(old_b, 1) == "b");

    CHECK(d.rename("/a", "/x") == -ENOENT);
    CHECK(d.rename("/b", "/empty") == -EISDIR);
    CHECK(d.rename("/empty", "/b") == -ENOTDIR);
    CHECK(d.rename("/empty", "/dir") == -ENOTEMPTY);
    CHECK(d.rename("/dir", "/dir/sub/dir") == -EINVAL);
    CHECK(d.rename("/dir/sub", "/dir") == -ENOTEMPTY);
    CHECK(d.rename("/b", "/x/") == -ENOTDIR);
    CHECK(d.rename("/b", "/.") == -EBUSY);
    CHECK(d.rename("/b", "/x", 0x80) == -EINVAL);
    CHECK(d.rename("/b", "/dir", RENAME_NOREPLACE | RENAME_EXCHANGE) == -EINVAL);
    CHECK(d.rename("/b", "/x", RENAME_EXCHANGE) == -ENOENT);

    REQUIRE(d.files.link(nullptr, "/b", nullptr, "/same") == 0);
    CHECK(d.rename("/b", "/same") == 0);
    CHECK(d.stat("/b").st_nlink == 2);

    const file sub = d.open("/dir/sub", O_RDONLY);
    CHECK(d.rename("/dir/sub", "/empty") == 0);
    CHECK(sub->describe() == "/empty");
    CHECK(d.stat("/dir").st_nlink == 2);
    CHECK(d.rename("/b", "/empty", RENAME_EXCHANGE) == 0);
    CHECK(d.files.get("/empty") == "a");
    CHECK(d.files.get("/b/c") == "c");
    CHECK(d.try_open("../tmp", O_RDONLY, 0, sub.get()) == 0);
}

TEST_CASE("a directory is listed in pieces, each entry once", "[testing]") {
    disk d;
    std::set<std::string> expected{"./", "../", "sub/", "link@"};
    REQUIRE(d.make_directory("/dir") == 0);
    REQUIRE(d.make_directory("/dir/sub") == 0);
    REQUIRE(d.make_link("nothing", "/dir/link") == 0);
    for (int i = 0; i < 100; ++i) {
        const std::string name = "file" + std::string(static_cast<std::size_t>(i), 'x');
        d.files.put("/dir/" + name, "");
        expected.insert(name);
    }
    for (const std::size_t bytes : {128U, 500U, 100'000U}) {
        const std::vector<std::string> names = list(d.open("/dir", O_RDONLY), bytes);
        CHECK(names.size() == expected.size());
        CHECK(std::set<std::string>(names.begin(), names.end()) == expected);
    }
    const file dir = d.open("/dir", O_RDONLY);
    std::array<std::byte, 23> small{};
    CHECK(dir->list(small) == -EINVAL);
    std::array<std::byte, 48> two{};
    CHECK(dir->list(two) == 48);
    d.files.put("/dir/later", "");
    REQUIRE(d.unlink("/dir/link") == 0);
    const std::vector<std::string> rest = list(dir, 128);
    CHECK(rest.size() == expected.size() - 2);
    CHECK(std::ranges::count(rest, "later") == 1);

    CHECK(read(dir, 1) == std::to_string(-EISDIR));
    CHECK(write(dir, "x") == -EBADF);
    CHECK(dir->sync() == 0);
    CHECK(d.open("/dir/file", O_RDONLY)->list(two) == -ENOTDIR);
    CHECK_FALSE(dir->is_regular());
}

TEST_CASE("the order of a listing is the seed's", "[testing]") {
    const auto order = [](std::uint64_t seed) {
        disk d{{}, seed};
        for (const char name : std::string_view{"abcdefgh"}) d.files.put(std::string{"/"} + name, "");
        return list(d.open("/", O_RDONLY), 4096);
    };
    CHECK(order(1) == order(1));
    CHECK(order(1) != order(2));
}

TEST_CASE("a file's holes take no room", "[testing]") {
    disk d;
    const file big = d.open("/big", O_CREAT | O_RDWR);
    constexpr std::int64_t far = std::int64_t{5} << 30;
    CHECK(write(big, "start", 0) == 5);
    CHECK(write(big, "end", far) == 3);
    CHECK(d.stat("/big").st_size == far + 3);
    CHECK(d.stat("/big").st_blocks == 16);
    CHECK(d.files.used() == 8);
    CHECK(read(big, 7, 2) == std::string("art\0\0\0\0", 7));
    CHECK(read(big, 10, far - 2) == std::string("\0\0end", 5));
    CHECK(read(big, 10, far + 3).empty());
    CHECK(big->truncate(3) == 0);
    CHECK(d.files.used() == 3);
    CHECK(big->truncate(6) == 0);
    CHECK(d.files.get("/big") == std::string("sta\0\0\0", 6));
    CHECK(write(big, "x", std::numeric_limits<std::int64_t>::max()) == -EINVAL);

    // Over the edge of a stored block.
    std::string text(200'000, 'a');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
    CHECK(write(big, text, 6) == 200'000);
    CHECK(read(big, 100'000, 65'530) == text.substr(65'524, 100'000));
}

TEST_CASE("a full disk takes what fits, and room that was allocated is there", "[testing]") {
    disk d;
    d.files.set_capacity(10);
    const file a = d.open("/a", O_CREAT | O_RDWR);
    CHECK(write(a, "12345678") == 8);
    CHECK(write(a, "abcd") == 2);
    CHECK(write(a, "cd") == -ENOSPC);
    CHECK(write(a, "again", 0) == 5);
    CHECK(d.files.get("/a") == "again678ab");
    CHECK_THROWS_AS(d.files.put("/b", "b"), std::system_error);
    CHECK(a->truncate(0) == 0);

    CHECK(a->allocate(0, 0, 6) == 0);
    CHECK(d.stat("/a").st_size == 6);
    CHECK(a->allocate(FALLOC_FL_KEEP_SIZE, 6, 2) == 0);
    CHECK(d.stat("/a").st_size == 6);
    CHECK(d.files.used() == 8);
    CHECK(a->allocate(0, 8, 3) == -ENOSPC);
    CHECK(a->allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1) == -EOPNOTSUPP);
    CHECK(a->allocate(0, 0, 0) == -EINVAL);
    CHECK(d.open("/a", O_RDONLY)->allocate(0, 0, 1) == -EBADF);
    d.files.set_capacity(0);
    CHECK(write(a, "fits", 2) == 4);
    CHECK(d.files.get("/a") == std::string("\0\0fits", 6));
    CHECK(d.unlink("/a") == 0);
}

TEST_CASE("locks belong to what was opened", "[testing]") {
    disk d;
    file a = d.open("/a", O_CREAT | O_RDWR);
    const file b = d.open("/a", O_RDONLY);
    CHECK(a->lock(LOCK_SH) == 0);
    CHECK(b->lock(LOCK_SH | LOCK_NB) == 0);
    CHECK(a->lock(LOCK_EX | LOCK_NB) == -EWOULDBLOCK);
    CHECK(b->lock(LOCK_EX) == 0);  // a has lost its lock, as with Linux
    CHECK(a->lock(LOCK_SH) == -EWOULDBLOCK);
    CHECK(b->lock(LOCK_UN) == 0);
    CHECK(a->lock(LOCK_EX) == 0);
    CHECK(a->lock(LOCK_EX) == 0);
    CHECK(b->lock(LOCK_EX) == -EWOULDBLOCK);
    a.reset();
    CHECK(b->lock(LOCK_EX) == 0);
    CHECK(b->lock(0) == -EINVAL);
    CHECK(d.open("/a", O_PATH)->lock(LOCK_SH) == -EBADF);
}

TEST_CASE("times are the world's", "[testing]") {
    disk d;
    const file a = d.open("/a", O_CREAT | O_RDWR);
    d.where.pass_time(ringlet::deadline{1500ms});
    CHECK(write(a, "x") == 1);
    const struct stat info = d.stat("/a");
    CHECK(info.st_atim.tv_sec == epoch);
    CHECK(info.st_mtim.tv_sec == epoch + 1);
    CHECK(info.st_mtim.tv_nsec == 500'000'000);
    CHECK(info.st_uid == ::geteuid());
    CHECK(info.st_blksize == 4096);
    struct stat same{};
    CHECK(d.files.stat(a.get(), "", AT_EMPTY_PATH, same) == 0);
    CHECK(same.st_ino == info.st_ino);
    CHECK(d.files.stat(a.get(), "", 0, same) == -ENOENT);
    CHECK(d.files.stat(nullptr, "", AT_EMPTY_PATH, same) == 0);
    CHECK(S_ISDIR(same.st_mode));
    CHECK(d.files.stat(nullptr, "/a", 1, same) == -EINVAL);
}

TEST_CASE("a disk fails as its plan says", "[testing]") {
    {
        disk broken{fault_plan{}.with(fault::disk_error, 1)};
        const file a = broken.open("/a", O_CREAT | O_RDWR);
        CHECK(write(a, "x") == -EIO);
        CHECK(read(a, 1) == std::to_string(-EIO));
        CHECK(a->sync() == -EIO);
        CHECK(broken.where.counts()[fault::disk_error] == 3);
        CHECK(broken.files.used() == 0);
    }
    const auto lengths = [](std::uint64_t seed) {
        disk full{fault_plan{}.with(fault::no_space, 1), seed};
        const file a = full.open("/a", O_CREAT | O_RDWR);
        std::vector<std::int64_t> results;
        std::int64_t written = 0;
        for (int i = 0; i < 100; ++i) {
            const std::int64_t result = write(a, "abcd");
            CHECK((result == -ENOSPC || (result > 0 && result < 4)));
            if (result > 0) written += result;
            results.push_back(result);
        }
        CHECK(full.stat("/a").st_size == written);
        CHECK(std::ranges::count(results, -ENOSPC) > 0);
        CHECK(std::ranges::count(results, 3) > 0);
        CHECK(a->allocate(0, 1000, 10) == -ENOSPC);
        return results;
    };
    CHECK(lengths(7) == lengths(7));
    CHECK(lengths(7) != lengths(8));
}

TEST_CASE("tests put files and look at them", "[testing]") {
    disk d;
    CHECK(d.files.names("/") == std::vector<std::string>{"tmp"});
    d.files.put("/b/c/d", "1");
    d.files.put("a", "2");
    d.files.put("/b/c/d", "three");
    CHECK(d.files.get("/b/c/d") == "three");
    CHECK(d.files.get("/b") == std::nullopt);
    CHECK(d.files.names("/") == std::vector<std::string>{"a", "b", "tmp"});
    CHECK_THROWS_AS(d.files.put("/b/c", "x"), std::system_error);
    CHECK_THROWS_AS(d.files.put("/a/c", "x"), std::system_error);
    CHECK_THROWS_AS(d.files.names("/nothing"), std::system_error);
    CHECK_THROWS_AS(d.files.names("/a"), std::system_error);
}

TEST_CASE("open files may outlive the file system", "[testing]") {
    world where{1, fault_plan{}};
    file a;
    {
        filesystem files{where};
        REQUIRE(files.make_directory(nullptr, "/dir", 0755) == 0);
        REQUIRE(files.open(nullptr, "/dir/a", how_of(O_CREAT | O_RDWR, 0600), a) == 0);
    }
    CHECK(write(a, "text") == 4);
    CHECK(read(a, 4, 0) == "text");
    CHECK_FALSE(a->describe().empty());
}
