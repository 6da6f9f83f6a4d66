// SPDX-License-Identifier: MIT
// What is kept of a download: the text of its state, and the file when it is stopped in any moment.
#include "fetch/part_file.hpp"
#include "fetch/part_state.hpp"
#include "fs/support.hpp"
#include <ringlet/core/bytes.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

using namespace ringlet;
using namespace ringlet_tests;
using fetch::part_state;
using fetch::segment;

namespace {

part_state example(std::vector<segment> segments, std::optional<std::uint64_t> total) {
    part_state state;
    state.url = "http://example.org/x?a=b";
    state.validator = "\"1 2\"";
    state.total = total;
    state.segments = std::move(segments);
    return state;
}

std::vector<part_state> examples() {
    return {example({{0, 100, 7}}, 100), example({{0, fetch::unbounded_end, 12345}}, std::nullopt),
            example({{0, 10, 10}, {10, 20, 0}, {20, 1'000'000'000'000, 99}}, 1'000'000'000'000),
            example({{0, 0, 0}}, 0)};
}

std::string content(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

constexpr std::uint64_t half = 2'500'000;

std::byte byte_at(std::uint64_t offset) { return static_cast<std::byte>(offset * 2654435761 >> 24); }

task<> write_until_stopped(fetch::part_file& part, std::size_t which, std::size_t piece_bytes) {
    std::exception_ptr stopped;
    try {
        std::vector<std::byte> piece(piece_bytes);
        for (std::uint64_t at = which * half;; at += piece.size()) {
            for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = byte_at(at + i);
            co_await part.write(which, piece);
            co_await yield();
        }
    } catch (...) {
        stopped = std::current_exception();
    }
    co_await shield(part.flush(which));
    std::rethrow_exception(stopped);
}

// Two segments that are written at once, and stopped after so many turns.
task<> stop_after(int turns, std::size_t piece_bytes, std::string folder, bool checksum) {
    fetch::destination where{folder};
    fetch::file_wishes wishes;
    wishes.base = "x";
    wishes.url = "http://example.org/x";
    if (checksum)
        wishes.checksum =
            std::make_shared<const apps::wanted_digest>(*apps::parse_digest("md5:" + std::string(32, '0')));
    std::unique_ptr<fetch::part_file> part = fetch::part_file::make(where, wishes, where.claim("x"));
    part_state version = example({{0, 2 * half, 0}}, 2 * half);
    version.url = wishes.url;
    co_await part->begin(version);
    std::vector<segment> both;
    both.push_back(segment{0, half, 0});
    both.push_back(segment{half, 2 * half, 0});
    part->divide(both);
    auto first = spawn(write_until_stopped(*part, 0, piece_bytes));
    auto second = spawn(write_until_stopped(*part, 1, piece_bytes));
    for (int i = 0; i < turns; ++i) co_await yield();
    first.cancel();
    second.cancel();
    co_await first.join();
    co_await second.join();
    const part_state stopped = part->state();
    part.reset();

    const std::optional<part_state> kept = fetch::decode(content(folder + "/x.part.state"));
    if (stopped.done_bytes() == 0) co_return;
    REQUIRE(kept);
    const std::string bytes = content(folder + "/x.part");
    for (std::size_t i = 0; i < 2; ++i) {
        const segment& its = kept->segments[i];
        CHECK(its.done == stopped.segments[i].done);
        CHECK(its.done % piece_bytes == 0);
        REQUIRE(its.next() <= (its.done > 0 ? bytes.size() : its.next()));
        std::uint64_t wrong = 0;
        for (std::uint64_t at = its.begin; at < its.next(); ++at)
            wrong += static_cast<std::byte>(bytes[at]) != byte_at(at);
        CHECK(wrong == 0);
    }
}

task<> small_file(std::string folder, bool takes_nameless, std::string came) {
    fetch::destination where{folder};
    if (!takes_nameless) where.takes_no_nameless();
    fetch::file_wishes wishes;
    wishes.base = "x";
    std::unique_ptr<fetch::part_file> part = fetch::part_file::make(where, wishes, where.claim("x"));
    part_state four = example({{0, 4, 0}}, 4);
    co_await part->begin(std::move(four));
    co_await part->write(0, ringlet::as_bytes(came));
    CHECK_FALSE(where.exists("x.part"));
    co_await part->flush(0);
    CHECK(where.exists("x.part") == (came.size() < 4 || !where.takes_nameless()));
    if (came.size() < 4) co_return;
    const std::string path = co_await part->finish();
    CHECK(path == folder + "/x");
    CHECK(content(path) == came);
}

}  // namespace

TEST_CASE("what has come before it is written has no name but its last", "[fetch]") {
    const temporary_folder folder;
    run(small_file(folder.path(), true, "abcd"));
    CHECK_FALSE(std::filesystem::exists(folder.path("x.part")));
}

TEST_CASE("where files cannot be without a name there is a part", "[fetch]") {
    const temporary_folder folder;
    run(small_file(folder.path(), false, "abcd"));
    CHECK_FALSE(std::filesystem::exists(folder.path("x.part")));
}

TEST_CASE("what ends before all of it has come is a part with a state", "[fetch]") {
    const temporary_folder folder;
    run(small_file(folder.path(), true, "abc"));
    CHECK(content(folder.path("x.part")) == "abc");
    CHECK(fetch::decode(content(folder.path("x.part.state"))));
}

TEST_CASE("a state is read as it was written", "[fetch]") {
    for (const part_state& state : examples()) {
        const std::string text = fetch::encode(state);
        const auto back = fetch::decode(text);
        REQUIRE(back);
        CHECK(fetch::encode(*back) == text);
        CHECK(back->url == state.url);
        CHECK(back->validator == state.validator);
        CHECK(back->total == state.total);
        CHECK(back->done_bytes() == state.done_bytes());
        CHECK(fetch::looks_like_state(text));
        for (std::size_t i = 0; i < state.segments.size(); ++i)
            CHECK(text.substr(fetch::segment_offset(state, i)).starts_with(fetch::segment_line(state.segments[i])));
    }
}

TEST_CASE("every changed byte of a state is found", "[fetch]") {
    for (const part_state& state : examples()) {
        const std::string text = fetch::encode(state);
        for (std::size_t at = 0; at < text.size(); ++at)
            for (const int bit : {1, 2, 4, 8, 16, 32, 64, 128}) {
                std::string damaged = text;
                damaged[at] = static_cast<char>(damaged[at] ^ bit);
                INFO(at << " " << bit);
                CHECK(!fetch::decode(damaged));
            }
    }
}

TEST_CASE("a state that is cut, or goes on, is none", "[fetch]") {
    for (const part_state& state : examples()) {
        const std::string text = fetch::encode(state);
        for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
            CHECK(!fetch::decode(text.substr(0, bytes)));
            CHECK(!fetch::decode(text.substr(bytes + 1)));
        }
        CHECK(!fetch::decode(text + "\n"));
        CHECK(!fetch::decode(text + '\0'));
        CHECK(!fetch::decode(text + text));
        if (state.total != 0) CHECK(!fetch::decode(text + fetch::segment_line(state.segments.back())));
    }
}

TEST_CASE("a state that contradicts itself is none", "[fetch]") {
    const auto refused = [](const part_state& state) { return !fetch::decode(fetch::encode(state)); };
    CHECK(refused(example({}, 0)));
    CHECK(refused(example({{1, 100, 0}}, 100)));
    CHECK(refused(example({{0, 99, 0}}, 100)));
    CHECK(refused(example({{0, 100, 101}}, 100)));
    CHECK(refused(example({{0, 100, 0}}, std::nullopt)));
    CHECK(refused(example({{0, fetch::unbounded_end, 0}}, 100)));
    CHECK(refused(example({{0, 50, 0}, {51, 100, 0}}, 100)));
    CHECK(refused(example({{0, 50, 0}, {49, 100, 0}}, 100)));
    CHECK(refused(example({{50, 100, 0}, {0, 50, 0}}, 100)));
    part_state unversioned = example({{0, fetch::unbounded_end, 0}}, std::nullopt);
    unversioned.validator.clear();
    CHECK(refused(unversioned));
    part_state forged = example({{0, 100, 0}}, 100);
    forged.url += "\nvalidator x";
    CHECK(refused(forged));
}

TEST_CASE("stopped in any moment, what is kept is what came", "[fetch]") {
    for (const bool checksum : {false, true})
        for (const std::size_t piece_bytes : {50'000, 30'000, 1'000})
            for (int turns = 0; turns < 40; ++turns) {
                INFO(checksum << " " << piece_bytes << " " << turns);
                const temporary_folder folder;
                run(stop_after, turns * (piece_bytes < 10'000 ? 20 : 1), piece_bytes, folder.path(), checksum);
            }
}
