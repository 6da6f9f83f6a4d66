// SPDX-License-Identifier: MIT
#include "support.hpp"
#include <ringlet/fs/directory.hpp>
#include <ringlet/fs/file.hpp>

#include <algorithm>

using namespace ringlet;
using namespace ringlet_tests;

namespace {

std::string names(std::vector<fs::directory_entry> all) {
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::string text;
    for (const auto& entry : all) text += entry.name + (entry.what == fs::kind::directory ? "/ " : " ");
    return text;
}

task<> listing(std::string folder) {
    auto none = co_await fs::list(folder);
    CHECK(none.empty());
    const bool made = co_await fs::create_directory(folder + "/sub");
    CHECK(made);
    const bool again = co_await fs::create_directory(folder + "/sub");
    CHECK_FALSE(again);
    for (const char* name : {"b", "a", ".hidden", "\xff\xfe not UTF-8"}) {
        const fs::file made_file = co_await fs::create(folder + "/" + name);
    }
    auto all = co_await fs::list(folder);
    CHECK(names(all) == ".hidden a b sub/ \xff\xfe not UTF-8 ");
    // The bit of O_DIRECTORY is in O_TMPFILE, too, which would want permissions.
    const fs::file open = co_await fs::open(folder, fs::open_options::read().flags(O_DIRECTORY));
    for (int i = 0; i < 2; ++i) {
        auto by_descriptor = co_await fs::list(open.descriptor());
        CHECK(by_descriptor.size() == 5);
    }
    const std::string why = co_await fate(fs::list(folder + "/nothing"));
    CHECK(why == "list " + folder + "/nothing: No such file or directory");
    const std::string no_directory = co_await fate(fs::list(folder + "/a"));
    CHECK(contains(no_directory, "Not a directory"));
    const io::owned_fd file{::open((folder + "/a").c_str(), O_RDONLY | O_CLOEXEC)};
    const std::string open_file = co_await fate(fs::list(io::fd_ref{file}));
    CHECK(open_file == "list " + folder + "/a: Not a directory");
}

task<> moving(std::string folder) {
    const std::string a = folder + "/a";
    const std::string b = folder + "/b";
    {
        const fs::file made = co_await fs::create(a);
    }
    co_await fs::rename(a, b);
    {
        const fs::file made = co_await fs::create(a);
    }
    const std::string taken = co_await fate(fs::rename_new(a, b));
    CHECK(taken == "rename " + a + " to " + b + ": File exists");
    co_await fs::rename(a, b);
    const std::string gone = co_await fate(fs::rename(a, b));
    CHECK(contains(gone, "No such file or directory"));
    co_await fs::unlink(b);
    const bool removed = co_await fs::try_unlink(b);
    CHECK_FALSE(removed);
    const std::string not_there = co_await fate(fs::unlink(b));
    CHECK(not_there == "unlink " + b + ": No such file or directory");
    const bool made = co_await fs::create_directory(a);
    CHECK(made);
    co_await fs::remove_directory(a);
    const std::string no_parent = co_await fate(fs::create_directory(a + "/b/c"));
    CHECK(contains(no_parent, "No such file or directory"));
}

}  // namespace

TEST_CASE("a directory lists what is in it", "[fs]") {
    const leak_check leaks;
    const temporary_folder folder;
    run(listing, folder.path());
}
TEST_CASE("files are renamed and removed, over others only where asked", "[fs]") {
    const temporary_folder folder;
    run(moving, folder.path());
}
