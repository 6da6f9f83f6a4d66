// SPDX-License-Identifier: MIT
// Several runs in one directory: what happens between the opening of a part and its lock, and file systems without locks.
#include "core/support.hpp"
#include "fetch/failure.hpp"
#include "fetch/part_access.hpp"
#include "fetch/part_file.hpp"
#include "fs/support.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>

#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ringlet_tests;

namespace {

std::function<void()> before_lock;  // once
int lock_error = 0;                 // what the file system says

}  // namespace

// In place of the C library's.
extern "C" int flock(int fd, int operation) noexcept {
    if (const auto what = std::exchange(before_lock, nullptr)) what();
    if (lock_error == 0) return static_cast<int>(::syscall(SYS_flock, fd, operation));
    errno = lock_error;
    return -1;
}

namespace {

namespace disk = std::filesystem;

struct no_locks {
    explicit no_locks(int error) { lock_error = error; }
    no_locks(const no_locks&) = delete;
    no_locks& operator=(const no_locks&) = delete;
    ~no_locks() { lock_error = 0; }
};

void write(const std::string& path, const std::string& text) {
    std::ofstream{path, std::ios::binary} << text;
    disk::permissions(path, disk::perms::owner_read | disk::perms::owner_write);
}

std::string content(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// Another run has come by, used the part and given it its last name.
std::function<void()> finish_it(const temporary_folder& folder) {
    return [&folder] {
        write(folder.path("x.part"), "another run's");
        disk::rename(folder.path("x.part"), folder.path("x"));
    };
}

bool is_part(const fetch::destination& where, const std::optional<ringlet::fs::file>& opened) {
    return opened && fetch::stands_under(where.directory().get(), "x.part", opened->descriptor().get());
}

fetch::file_wishes wishes() {
    fetch::file_wishes how;
    how.base = "x";
    how.url = "http://example.org/x";
    return how;
}

void begin(fetch::part_file& part) {
    fetch::part_state unbounded;
    unbounded.segments.push_back(fetch::segment{0, fetch::unbounded_end, 0});
    checked_loop loop;
    loop.run(part.begin(std::move(unbounded)));
}

}  // namespace

TEST_CASE("a part that another run finishes before it is locked is another's file", "[fetch]") {
    for (const bool made : {true, false}) {
        INFO(made);
        const temporary_folder folder;
        const fetch::destination where{folder.path()};
        if (!made) write(folder.path("x.part"), "left");
        before_lock = finish_it(folder);
        const auto opened = fetch::open_part(where, "x.part");
        CHECK(!before_lock);
        CHECK(is_part(where, opened));
        CHECK(content(folder.path("x")) == "another run's");
    }
}

TEST_CASE("a part that goes away before it is locked is made again", "[fetch]") {
    for (const bool made : {true, false}) {
        INFO(made);
        const temporary_folder folder;
        const fetch::destination where{folder.path()};
        if (!made) write(folder.path("x.part"), "left");
        before_lock = [&] { disk::remove(folder.path("x.part")); };
        CHECK(is_part(where, fetch::open_part(where, "x.part")));
    }
}

TEST_CASE("a part that another run has locked first is that one's", "[fetch]") {
    const temporary_folder folder;
    const fetch::destination where{folder.path()};
    std::optional<ringlet::fs::file> other;
    before_lock = [&] { other = fetch::open_part(where, "x.part"); };
    CHECK(!fetch::open_part(where, "x.part"));
    CHECK(is_part(where, other));
}

TEST_CASE("a part that another run finishes is not in the way of going on", "[fetch]") {
    const temporary_folder folder;
    fetch::destination where{folder.path()};
    write(folder.path("x.part"), "left");
    before_lock = finish_it(folder);
    std::string in_the_way;
    CHECK(!fetch::part_file::take_up(where, wishes(), "x", in_the_way));
    CHECK(in_the_way.empty());
    CHECK(content(folder.path("x")) == "another run's");
}

TEST_CASE("where there are no locks, that is said once, and nothing stays", "[fetch]") {
    for (const int error : {ENOSYS, EOPNOTSUPP, ENOLCK}) {
        INFO(error);
        const temporary_folder folder;
        fetch::destination where{folder.path()};
        const no_locks here{error};
        std::string said;
        try {
            begin(*fetch::part_file::make(where, wishes(), where.claim("x")));
        } catch (const fetch::failure& why) {
            said = why.what();
            CHECK(to_int(why.code()) == 3);
        }
        CHECK(said == "cannot lock " + folder.path("x.part") + ": " + std::generic_category().message(error));
        CHECK(disk::is_empty(folder.path()));
        write(folder.path("x.part"), "left");
        CHECK_THROWS_AS(begin(*fetch::part_file::make(where, wishes(), "x")), fetch::failure);
        std::string in_the_way;
        CHECK_THROWS_AS(fetch::part_file::take_up(where, wishes(), "x", in_the_way), fetch::failure);
        CHECK(content(folder.path("x.part")) == "left");
    }
}
