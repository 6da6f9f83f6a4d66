// SPDX-License-Identifier: MIT
#include "support.hpp"
#include <ringlet/core/bytes.hpp>
#include <ringlet/fs/file.hpp>

#include <limits>
#include <linux/openat2.h>

#include <sys/mman.h>

using namespace ringlet;
using namespace ringlet_tests;
using fs::file;
using fs::open_options;

namespace {

task<> write_and_read(std::string path) {
    file out = co_await fs::create(path);
    co_await out.write_all(as_bytes("hello, "));
    co_await out.write_all(as_bytes("world"));
    co_await out.write_all(as_bytes("J"), 0);
    co_await out.sync();
    CHECK(out.size() == 12);
    co_await out.close();

    file in = co_await fs::open(path);
    const std::string all = co_await in.read_all();
    CHECK(all == "Jello, world");
    std::array<std::byte, 5> five{};
    std::size_t n = co_await in.read(five, 7);
    CHECK(as_text(std::span{five}.first(n)) == "world");
    n = co_await in.read(five);
    CHECK(as_text(std::span{five}.first(n)) == "Jello");
    n = co_await in.read_full(five, 10);
    CHECK(n == 2);
    n = co_await in.read(five, 1000);
    CHECK(n == 0);
    const std::string limited = co_await fate(in.read_all(5));
    CHECK(contains(limited, "File too large"));
    const std::string unlimited = co_await in.read_all(std::numeric_limits<std::size_t>::max());
    CHECK(unlimited == "Jello, world");
    const std::string not_for_writing = co_await fate(in.write_all(as_bytes("x")));
    CHECK(contains(not_for_writing, "Bad file descriptor"));
}

task<> offsets_that_are_none(std::string path) {
    file f = co_await fs::open(path, open_options::read_write().flags(O_CREAT));
    co_await f.write_all(as_bytes("abc"));
    std::array<std::byte, 3> room{};
    for (const std::uint64_t offset : {std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        std::vector<std::string> ends;
        ends.push_back(co_await fate(f.read(room, offset)));
        ends.push_back(co_await fate(f.read_full(room, offset)));
        ends.push_back(co_await fate(f.write(as_bytes("x"), offset)));
        ends.push_back(co_await fate(f.write_all(as_bytes("x"), offset)));
        ends.push_back(co_await fate(f.truncate(offset)));
        ends.push_back(co_await fate(f.allocate(offset)));
        for (const std::string& end : ends) CHECK(contains(end, "Invalid argument"));
    }
    CHECK(f.size() == 3);
}

task<> large(std::string path) {
    std::string text;
    while (text.size() < 5'000'000) text += std::to_string(text.size()) + ' ';
    file out = co_await fs::open(path, open_options::create().flags(O_APPEND));
    co_await out.write_all(as_bytes(text));
    file in = co_await fs::open(path);
    const std::string back = co_await in.read_all();
    CHECK((back == text));
    std::vector<std::byte> part(1000);
    const std::size_t n = co_await in.read_full(part, text.size() - 1000);
    CHECK(n == 1000);
    CHECK(as_text(part) == text.substr(text.size() - 1000));
}

task<> missing(std::string path) {
    const std::string why = co_await fate(fs::open(path));
    CHECK(why == "open " + path + ": No such file or directory");
    const std::optional<file> none = co_await fs::try_open(path);
    CHECK_FALSE(none);
    const std::optional<file> below_a_file = co_await fs::try_open("/dev/null/x");
    CHECK_FALSE(below_a_file);
    const std::string denied = co_await fate(fs::try_open("/", open_options::write()));
    CHECK(contains(denied, "Is a directory"));
    {
        const file made = co_await fs::open(path, open_options::create_new().permissions(0600));
        struct stat status{};
        ::fstat(made.descriptor().get(), &status);
        CHECK((status.st_mode & 0777) == 0600);
        CHECK((::fcntl(made.descriptor().get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    const std::string exists = co_await fate(fs::open(path, open_options::create_new()));
    CHECK(contains(exists, "File exists"));
}

task<> beneath(std::string folder) {
    const io::owned_fd root{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    file made = co_await fs::open("inside", open_options::create().at(root).resolve(RESOLVE_BENEATH));
    co_await made.write_all(as_bytes("x"));
    const std::string outside =
        co_await fate(fs::open("../" + folder, open_options::read().at(root).resolve(RESOLVE_BENEATH)));
    CHECK(contains(outside, "Invalid cross-device link"));
}

task<> sizes(std::string path) {
    file f = co_await fs::open(path, open_options::create().flags(O_TRUNC));
    const bool reserved = co_await f.allocate(100'000);
    CHECK(f.size() == (reserved ? 100'000u : 0u));
    const bool nothing = co_await f.allocate(0);
    CHECK(nothing);
    co_await f.truncate(10);
    CHECK(f.size() == 10);
    co_await f.truncate(20);
    CHECK(f.size() == 20);
    file reader = co_await fs::open(path);
    const std::string refused = co_await fate(reader.truncate(1));
    CHECK(contains(refused, "Invalid argument"));
    const std::string no_space = co_await fate(f.allocate(std::uint64_t{1} << 62));
    CHECK((no_space == "done" || contains(no_space, "allocate")));
}

task<std::string> open_and_read(std::string path) {
    file in = co_await fs::open(path);
    co_return co_await in.read_all();
}

// A cancelled open leaves no descriptor, whichever came first.
task<> cancelled_opens(std::string path) {
    for (int turns = 0; turns < 10; ++turns) {
        auto reading = spawn(open_and_read, path);
        for (int i = 0; i < turns; ++i) co_await yield();
        reading.cancel();
        co_await reading.join();
    }
}

task<> odd_files() {
    file status = co_await fs::open("/proc/self/status");
    CHECK(status.size() == 0);
    const std::string text = co_await status.read_all();
    CHECK(contains(text, "Pid:"));
    std::optional<file> mtu = co_await fs::try_open("/sys/class/net/lo/mtu");  // says that it has 4096 bytes
    if (mtu) {
        const std::string number = co_await mtu->read_all(100);
        CHECK(number.ends_with("\n"));
    }
    file full = co_await fs::open("/dev/full", open_options::write());
    const std::string why = co_await fate(full.write_all(as_bytes("x")));
    CHECK(contains(why, "No space left on device"));
}

}  // namespace

TEST_CASE("a file gives back what was written, by position and by offset", "[fs][orderly]") {
    const leak_check leaks;
    const temporary_folder folder;
    run(write_and_read, folder.path("text"));
}
TEST_CASE("five megabytes go to disk and back", "[fs]") {
    const temporary_folder folder;
    run(large, folder.path("large"));
}
TEST_CASE("an offset beyond 2^63 - 1 is an error, not the file's own position", "[fs]") {
    const temporary_folder folder;
    run(offsets_that_are_none, folder.path("text"));
}
TEST_CASE("a file that says that it is too large is not read", "[fs]") {
    checked_loop loop;
    file sparse{io::owned_fd{::memfd_create("sparse", MFD_CLOEXEC)}};
    REQUIRE(::ftruncate(sparse.descriptor().get(), off_t{1} << 40) == 0);
    CHECK(contains(loop.run(fate(sparse.read_all(std::size_t{1} << 20))), "File too large"));
    CHECK(loop.engine().submitted().empty());
}
TEST_CASE("a missing file is an error, or a value where asked", "[fs]") {
    const leak_check leaks;
    const temporary_folder folder;
    run(missing, folder.path("missing"));
}
TEST_CASE("openat2's rules hold below a directory", "[fs]") {
    const temporary_folder folder;
    run(beneath, folder.path());
}
TEST_CASE("files are reserved, cut and extended", "[fs]") {
    const temporary_folder folder;
    run(sizes, folder.path("sized"));
}
TEST_CASE("a cancelled open leaves no descriptor", "[fs]") {
    const leak_check leaks;
    run(cancelled_opens, std::string{"/proc/self/status"});
}
TEST_CASE("files that do not know their size, and disks that are full", "[fs]") { run(odd_files); }
