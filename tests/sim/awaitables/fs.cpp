// SPDX-License-Identifier: MIT
#include "scenario.hpp"
#include "table.hpp"
#include <ringlet/fs/directory.hpp>
#include <ringlet/fs/file.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>

namespace ringlet_tests {
namespace {

namespace fs = ringlet::fs;

void make_tree(testing::simulation& world) {
    world.write_file("/dir/a", "content of a");
    world.write_file("/dir/b", "b");
}

template <class A>
task<> fails(A awaitable) {
    const auto outcome = co_await ringlet::as_result(std::move(awaitable));
    expect(!outcome, "what cannot be done was done");
}

task<std::string> read_once(fs::file& from) {
    std::array<std::byte, 4> block{};
    const std::size_t n = co_await from.read(block);
    co_return std::string{as_text(std::span{block}.first(n))};
}

task<> reads(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a");
    std::string all;
    for (;;) {
        const std::string part = co_await read_once(file);
        if (part.empty()) break;
        all += part;
    }
    expect(all == "content of a", "other bytes were read");
}

task<> reads_at(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a");
    std::array<std::byte, 2> block{};
    const std::size_t n = co_await file.read(block, 8);
    expect(n == 2 && as_text(block) == "of", "other bytes were read");
    const std::size_t beyond = co_await file.read(block, 100);
    expect(beyond == 0, "bytes beyond the end");
    co_await fails(file.read(block, ~std::uint64_t{0}));
}

task<> reads_fully(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a");
    std::array<std::byte, 8> block{};
    const std::size_t n = co_await file.read_full(block);
    const std::size_t rest = co_await file.read_full(block);
    expect(n == 8 && rest == 4, "not the whole file");
}

task<> reads_fully_at(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a");
    std::array<std::byte, 8> block{};
    const std::size_t n = co_await file.read_full(block, 8);
    expect(n == 4 && as_text(std::span{block}.first(n)) == "of a", "other bytes were read");
}

task<> reads_all(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a");
    const std::string all = co_await file.read_all();
    expect(all == "content of a", "other bytes were read");
    co_await fails(file.read_all(3));
}

task<> writes(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::create("/dir/a");
    const std::size_t n = co_await file.write(as_bytes("new"));
    expect(n == 3 && world.read_file("/dir/a") == "new", "other bytes were written");
    fs::file reading = co_await fs::open("/dir/a");
    co_await fails(reading.write(as_bytes("x")));
}

task<> writes_at(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a", fs::open_options::write());
    const std::size_t n = co_await file.write(as_bytes("OF"), 8);
    expect(n == 2 && world.read_file("/dir/a") == "content OF a", "other bytes were written");
}

task<> writes_all(testing::simulation& world) {
    fs::file file = co_await fs::create("/new");
    const std::string much(200'000, 'x');
    co_await file.write_all(as_bytes(much));
    expect(world.read_file("/new") == much, "other bytes were written");
    world.set_disk_bytes(much.size() + 10);
    co_await fails(file.write_all(as_bytes(much)));
}

task<> writes_all_at(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a", fs::open_options::read_write());
    co_await file.write_all(as_bytes("b and more"), 11);
    expect(world.read_file("/dir/a") == "content of b and more", "other bytes were written");
}

task<> truncates(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a", fs::open_options::write());
    co_await file.truncate(7);
    expect(world.read_file("/dir/a") == "content", "a file was not cut");
    fs::file reading = co_await fs::open("/dir/a");
    co_await fails(reading.truncate(1));
}

task<> syncs(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a", fs::open_options::write());
    co_await file.sync();
}

task<> allocates(testing::simulation& world) {
    fs::file file = co_await fs::create("/new");
    const bool done = co_await file.allocate(1000);
    // Where the file system cannot, which is an error that fail_everywhere tries.
    expect(!done || file.size() == 1000, "space was reserved, and the size is another");
    co_await file.allocate(0);
    world.set_disk_bytes(2000);
    const auto too_much = co_await ringlet::as_result(file.allocate(1'000'000));
    expect(!too_much || !*too_much, "more space was reserved than there is");
}

task<> reserves(testing::simulation& world) {
    fs::file file = co_await fs::create("/new");
    co_await file.write_all(as_bytes("content"));
    co_await file.reserve(1000);
    expect(file.size() == 7, "reserving space has changed the size");
    co_await file.reserve(0);
    world.set_disk_bytes(2000);
    const auto too_much = co_await ringlet::as_result(file.reserve(1'000'000));
    expect(!too_much || !*too_much, "more space was reserved than there is");
}

task<> closes(testing::simulation&) {
    fs::file file = co_await fs::create("/new");
    co_await file.write_all(as_bytes("content"));
    co_await file.close();
    expect(file.descriptor().get() < 0, "a file is open after close");
}

task<> opens(testing::simulation& world) {
    make_tree(world);
    fs::file file = co_await fs::open("/dir/a");
    expect(file.size() == 12, "another file was opened");
    co_await fails(fs::open("/dir/none"));
    co_await fails(fs::open("/dir/a", fs::open_options::create_new()));
}

task<> tries_to_open(testing::simulation& world) {
    make_tree(world);
    const std::optional<fs::file> file = co_await fs::try_open("/dir/a");
    const std::optional<fs::file> none = co_await fs::try_open("/dir/none");
    expect(!none, "a file that is not there was opened");
    const auto exists = co_await ringlet::as_result(fs::try_open("/dir/a", fs::open_options::create_new()));
    expect(!exists || !*exists, "a file was made twice");
}

task<> creates(testing::simulation& world) {
    make_tree(world);
    {
        fs::file file = co_await fs::create("/dir/a");
        expect(world.read_file("/dir/a") == "", "a file was not emptied");
    }
    co_await fails(fs::create("/none/a"));
}

std::string names_of(std::vector<fs::directory_entry> entries) {
    std::ranges::sort(entries, {}, &fs::directory_entry::name);
    std::string names;
    for (const fs::directory_entry& entry : entries) names += entry.name + " ";
    return names;
}

task<> lists(testing::simulation& world) {
    make_tree(world);
    auto entries = co_await fs::list("/dir");
    expect(names_of(std::move(entries)) == "a b ", "other entries");
    co_await fails(fs::list("/none"));
}

task<> lists_open_ones(testing::simulation& world) {
    make_tree(world);
    const fs::file directory = co_await fs::open("/dir", fs::open_options::read().flags(O_DIRECTORY));
    for (int i = 0; i < 2; ++i) {
        auto entries = co_await fs::list(directory.descriptor());
        expect(names_of(std::move(entries)) == "a b ", "other entries");
    }
}

task<> renames(testing::simulation& world) {
    make_tree(world);
    co_await fs::rename("/dir/a", "/dir/b");
    expect(world.read_file("/dir/b") == "content of a", "a file was not renamed");
    co_await fails(fs::rename("/dir/a", "/dir/c"));
}

task<> renames_to_new(testing::simulation& world) {
    make_tree(world);
    co_await fails(fs::rename_new("/dir/a", "/dir/b"));
    co_await fs::rename_new("/dir/a", "/dir/c");
    expect(world.read_file("/dir/c") == "content of a", "a file was not renamed");
}

task<> unlinks(testing::simulation& world) {
    make_tree(world);
    co_await fs::unlink("/dir/a");
    expect(!world.read_file("/dir/a"), "a file was not removed");
    co_await fails(fs::unlink("/dir/a"));
}

task<> tries_to_unlink(testing::simulation& world) {
    make_tree(world);
    co_await fs::try_unlink("/dir/a");
    const bool again = co_await fs::try_unlink("/dir/none");
    expect(!again, "a file that is not there was removed");
    const auto directory = co_await ringlet::as_result(fs::try_unlink("/dir"));
    expect(!directory || !*directory, "a directory was removed as a file is");
}

task<> removes_directories(testing::simulation& world) {
    make_tree(world);
    co_await fails(fs::remove_directory("/dir"));
    co_await fs::unlink("/dir/a");
    co_await fs::unlink("/dir/b");
    co_await fs::remove_directory("/dir");
    co_await fails(fs::list("/dir"));
}

task<> makes_directories(testing::simulation&) {
    const bool made = co_await fs::create_directory("/dir");
    const bool again = co_await fs::create_directory("/dir");
    expect(made && !again, "a directory was made twice");
    co_await fails(fs::create_directory("/none/dir"));
}

constexpr awaitable_row rows[] = {
    {"fs::file::read(std::span<std::byte>)", &reads},
    {"fs::file::read(std::span<std::byte>, std::uint64_t)", &reads_at},
    {"fs::file::read_full(std::span<std::byte>)", &reads_fully},
    {"fs::file::read_full(std::span<std::byte>, std::uint64_t)", &reads_fully_at},
    {"fs::file::read_all(std::size_t)", &reads_all},
    {"fs::file::write(std::span<const std::byte>)", &writes},
    {"fs::file::write(std::span<const std::byte>, std::uint64_t)", &writes_at},
    {"fs::file::write_all(std::span<const std::byte>)", &writes_all},
    {"fs::file::write_all(std::span<const std::byte>, std::uint64_t)", &writes_all_at},
    {"fs::file::truncate(std::uint64_t)", &truncates},
    {"fs::file::sync()", &syncs},
    {"fs::file::allocate(std::uint64_t)", &allocates},
    {"fs::file::reserve(std::uint64_t)", &reserves},
    {"fs::file::close()", &closes},
    {"fs::open(std::string, open_options)", &opens},
    {"fs::try_open(std::string, open_options)", &tries_to_open},
    {"fs::create(std::string)", &creates},
    {"fs::list(std::string)", &lists},
    {"fs::list(io::fd_ref)", &lists_open_ones},
    {"fs::rename(std::string, std::string)", &renames},
    {"fs::rename_new(std::string, std::string)", &renames_to_new},
    {"fs::unlink(std::string)", &unlinks},
    {"fs::try_unlink(std::string)", &tries_to_unlink},
    {"fs::remove_directory(std::string)", &removes_directories},
    {"fs::create_directory(std::string, unsigned)", &makes_directories},
};

}  // namespace

std::span<const awaitable_row> fs_rows() noexcept { return rows; }

}  // namespace ringlet_tests
