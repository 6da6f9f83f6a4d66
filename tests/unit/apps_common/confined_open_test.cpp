// SPDX-License-Identifier: MIT
#include "common/confined_open.hpp"

#include "catch.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
using apps::open_outcome;

namespace {

// root/{a.txt,.secret,sub/{b.txt,.git/c}} and what may not be reached, beside it.
struct tree {
    tree() {
        std::string pattern = (fs::temp_directory_path() / "ringlet-confined-XXXXXX").string();
        base = ::mkdtemp(pattern.data());
        root = base / "root";
        fs::create_directories(root / "sub" / ".git");
        for (const auto& path : {root / "a.txt", root / ".secret", root / "sub" / "b.txt", root / "sub" / ".git" / "c",
                                 base / "outside.txt"})
            std::ofstream{path} << "x";
        fs::create_symlink("a.txt", root / "inside");
        fs::create_symlink("../a.txt", root / "sub" / "up-inside");
        fs::create_symlink("../outside.txt", root / "leaves");
        fs::create_symlink(base, root / "leaves-dir");
        fs::create_symlink("loop", root / "loop");
        fs::create_symlink("absent", root / "dangling");
        ::mkfifo((root / "fifo").c_str(), 0600);
        root_fd.reset(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    ~tree() { fs::remove_all(base); }
    open_outcome open(const std::string& path, bool hidden = false) const {
        return apps::open_confined(root_fd.get(), path, hidden).outcome;
    }

    fs::path base;
    fs::path root;
    apps::unique_fd root_fd;
};

}  // namespace

TEST_CASE("files and directories below the root open", "[confined]") {
    const tree t;
    CHECK(t.open("a.txt") == open_outcome::file);
    CHECK(t.open("sub/b.txt") == open_outcome::file);
    CHECK(t.open("sub") == open_outcome::directory);
    CHECK(t.open("") == open_outcome::directory);
    const auto got = apps::open_confined(t.root_fd.get(), "a.txt");
    CHECK(got.info.st_size == 1);
    CHECK((::fcntl(got.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("links inside the root are followed, links out of it are not", "[confined]") {
    const tree t;
    CHECK(t.open("inside") == open_outcome::file);
    CHECK(t.open("sub/up-inside") == open_outcome::file);
    for (const char* path : {"leaves", "leaves-dir", "leaves-dir/outside.txt", "loop", "dangling", "../outside.txt",
                             "sub/../../outside.txt", "/etc/passwd", "absent", "a.txt/x", "sub/absent"}) {
        INFO(path);
        CHECK(t.open(path) == open_outcome::missing);
    }
    CHECK(t.open(std::string{"a.txt\0.html", 11}) == open_outcome::missing);
}

TEST_CASE("a FIFO in the root is missing and holds nobody up", "[confined]") {
    const tree t;
    CHECK(t.open("fifo") == open_outcome::missing);
}

TEST_CASE("dotfiles are missing unless asked for", "[confined]") {
    const tree t;
    CHECK(t.open(".secret") == open_outcome::missing);
    CHECK(t.open("sub/.git/c") == open_outcome::missing);
    CHECK(t.open(".secret", true) == open_outcome::file);
    CHECK(t.open("sub/.git/c", true) == open_outcome::file);
    CHECK(t.open("..", true) == open_outcome::missing);
}

TEST_CASE("running out of descriptors is not the same as missing", "[confined]") {
    CHECK(apps::judge_opened(-EMFILE).outcome == open_outcome::exhausted);
    CHECK(apps::judge_opened(-EAGAIN).outcome == open_outcome::exhausted);
    CHECK(apps::judge_opened(-EIO).outcome == open_outcome::failed);
    CHECK(apps::judge_opened(-EXDEV).outcome == open_outcome::missing);
    CHECK(apps::judge_opened(-ENXIO).outcome == open_outcome::missing);
    CHECK(apps::judge_opened(-EACCES).outcome == open_outcome::denied);
    CHECK(apps::judge_opened(-EACCES).error == EACCES);
    CHECK(apps::judge_opened(-ESTALE).outcome == open_outcome::failed);
}
