// SPDX-License-Identifier: MIT
// What the tests of core, time and io share: a loop under virtual time that checks for leaks when it goes, counted
// objects, the fate of an awaitable as text, and a child process for what must abort.
#pragma once

#include "catch.hpp"
#include <ringlet/core/frame_pool.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/testing/virtual_loop.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace ringlet_tests {

using namespace std::chrono_literals;

inline std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Fails the test when frames, job blocks or descriptors are left that were not there before.
class leak_check {
public:
    leak_check() = default;
    leak_check(const leak_check&) = delete;
    leak_check& operator=(const leak_check&) = delete;
    ~leak_check() {
        CHECK(ringlet::detail::frame_pool::live_count() == frames_);
        CHECK(open_descriptors() == descriptors_);
    }

private:
    std::int64_t frames_ = ringlet::detail::frame_pool::live_count();
    std::size_t descriptors_ = open_descriptors();
};

/// A virtual loop that leaves nothing behind. Declare it before what the jobs borrow.
class checked_loop : leak_check, public ringlet::testing::virtual_loop {
public:
    using virtual_loop::virtual_loop;
};

/// Counts its living objects, and is long enough for a sanitizer to notice a stale one.
class counted {
public:
    explicit counted(int value = 0) : value_{value}, text_(64, 'x') { ++alive; }
    counted(const counted& other) : value_{other.value_}, text_{other.text_} { ++alive; }
    counted(counted&& other) noexcept : value_{std::exchange(other.value_, -1)}, text_{std::move(other.text_)} {
        ++alive;
    }
    counted& operator=(const counted&) = default;
    counted& operator=(counted&&) = default;
    ~counted() { --alive; }
    int value() const { return text_.size() == 64 ? value_ : -2; }

    static inline int alive = 0;

private:
    int value_;
    std::string text_;
};

/// Writes `name` into `log` when destroyed.
class destruction_note {
public:
    destruction_note(std::string& log, char name) noexcept : log_{&log}, name_{name} {}
    destruction_note(destruction_note&& other) noexcept
        : log_{std::exchange(other.log_, nullptr)}, name_{other.name_} {}
    destruction_note& operator=(destruction_note&&) = delete;
    ~destruction_note() {
        if (log_) *log_ += name_;
    }

private:
    std::string* log_;
    char name_;
};

/// How an await ended: "done", "cancelled", or what the exception said.
template <class A>
ringlet::task<std::string> fate(A awaitable) {
    std::string text = "done";
    try {
        if constexpr (std::is_void_v<typename A::value_type>) {
            co_await std::move(awaitable);
        } else {
            [[maybe_unused]] auto value = co_await std::move(awaitable);
        }
    } catch (const ringlet::cancelled&) {
        text = "cancelled";
    } catch (const std::exception& error) {
        text = error.what();
    }
    co_return text;
}

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// Runs `function` in a child process. Gives what it wrote to stderr, followed by how it ended when that was not SIGABRT.
std::string last_words(void (*function)());

}  // namespace ringlet_tests
