// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/error.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/io/fd.hpp>
#include <ringlet/time/sleep.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace ringlet {
namespace os {
namespace detail {

/// A queue of byte strings in memory that processes share, with descriptors that tell of room, items and emptiness.
class shared_queue {
public:
    /// Errors: std::system_error (ENOMEM, EMFILE).
    shared_queue(std::size_t capacity, std::size_t item_bytes_max);
    shared_queue(shared_queue&& other) noexcept;
    shared_queue& operator=(shared_queue&& other) noexcept;
    ~shared_queue();

    enum class outcome : unsigned char { done, wait, closed };
    outcome try_put(std::span<const std::byte> item);
    /// `room` has item_bytes_max bytes; `size` is how many of them were written.
    outcome try_get(std::span<std::byte> room, std::size_t& size);

    task<> wait_for_room();
    task<> wait_for_item();
    /// Until nothing is in it.
    task<> wait_until_empty();
    void close();

    std::size_t size() const;
    bool closed() const;
    std::size_t capacity() const noexcept;
    std::size_t item_bytes_max() const noexcept;

    // For tests: what a process that dies within a call would have held.
    void lock() const;
    void unlock() const noexcept;

private:
    struct header;
    class locked;
    std::byte* slot(std::uint64_t position) const noexcept;
    void release() noexcept;

    header* shared_ = nullptr;
    std::size_t bytes_ = 0;
    // Each is readable at least while there are items, while there is room, while there is nothing (or the queue is
    // closed). A process that is killed at a bad moment may leave one readable without need: who finds that mends it.
    io::owned_fd items_;
    io::owned_fd room_;
    io::owned_fd empty_;
};

/// How items become bytes.
template <class T>
struct item_bytes {
    static_assert(std::is_trivially_copyable_v<T>,
                  "a process_queue holds trivially copyable types and std::string: other things do not survive in "
                  "another process");
    static_assert(!std::is_pointer_v<T>, "a pointer means nothing in another process");
    static constexpr std::size_t bytes_max = sizeof(T);
    static std::span<const std::byte> of(const T& item) noexcept { return std::as_bytes(std::span{&item, 1}); }
};
template <>
struct item_bytes<std::string> {
    static constexpr std::size_t bytes_max = 4096;
    static std::span<const std::byte> of(const std::string& item) noexcept { return std::as_bytes(std::span{item}); }
};

}  // namespace detail

/// A queue between processes: for a parent and the children that it starts once the queue is there (`process::start(f,
/// std::ref(queue))`), any number of which put and get. As multiprocessing.JoinableQueue, but that an item is in it, for all
/// to see, when `put` returns: `size`, `empty` and `full` are exact, and what a child put stays when the child has ended.
///
/// The memory is shared and anonymous, of fixed size: it goes with the last process that has it, however that ends. A process
/// that is killed holds nobody up: its lock passes to the next, and an item is in the queue, or out of it, or never was. (One
/// that is stopped, by SIGSTOP, in the few instructions that it holds the lock for, does hold up the others.)
///
/// Who waits is not served in order. Thread: the loop's thread; each process has its own.
template <class T>
class process_queue {
    using bytes = detail::item_bytes<T>;

public:
    /// Holds up to `capacity` items, one or more; strings of up to `item_bytes_max` bytes each.
    /// Errors: std::system_error (ENOMEM, EMFILE).
    explicit process_queue(std::size_t capacity, std::size_t item_bytes_max = bytes::bytes_max)
        : queue_{capacity, item_bytes_max} {
        if constexpr (!std::is_same_v<T, std::string>)
            ringlet::detail::require(item_bytes_max == bytes::bytes_max, "only strings have a length to limit");
    }

    /// Puts an item, waits while the queue is full.
    /// Errors: std::errc::broken_pipe when the queue is closed; std::errc::message_size for a string that is too long;
    /// `cancelled`: then it was not put.
    task<> put(T item) {
        check_size(item);
        co_await yield();
        for (;;) {
            const outcome how = queue_.try_put(bytes::of(item));
            if (how == outcome::done) co_return;
            if (how == outcome::closed)
                throw std::system_error{make_error_code(std::errc::broken_pipe), "put into a closed process_queue"};
            co_await queue_.wait_for_room();
        }
    }
    /// Result: false when it is full or closed.
    bool try_put(const T& item) {
        check_size(item);
        return queue_.try_put(bytes::of(item)) == outcome::done;
    }

    /// Gets the next item, waits while there is none.
    /// Result: nullopt when the queue is closed and empty. Errors: `cancelled`: then none was taken.
    task<std::optional<T>> get() {
        co_await yield();
        for (;;) {
            outcome how{};
            std::optional<T> item = take(how);
            if (item || how == outcome::closed) co_return item;
            co_await queue_.wait_for_item();
        }
    }
    /// Result: nullopt when there is none.
    std::optional<T> try_get() {
        outcome how{};
        return take(how);
    }

    /// Waits until the queue is empty: every item has been taken, by whomever. Errors: `cancelled`.
    task<> join() { return queue_.wait_until_empty(); }

    /// Nothing more is put, by anybody: `get` gives what is left, and then nullopt; who waits to put gets an error.
    void close() { queue_.close(); }
    bool closed() const { return queue_.closed(); }

    std::size_t size() const { return queue_.size(); }
    std::size_t capacity() const noexcept { return queue_.capacity(); }
    bool empty() const { return size() == 0; }
    bool full() const { return size() == capacity(); }

private:
    using outcome = detail::shared_queue::outcome;

    std::optional<T> take(outcome& how) {
        std::size_t size = 0;
        if constexpr (std::is_same_v<T, std::string>) {
            std::string room(queue_.item_bytes_max(), '\0');
            how = queue_.try_get(std::as_writable_bytes(std::span{room}), size);
            if (how != outcome::done) return std::nullopt;
            room.resize(size);
            return room;
        } else {
            std::array<std::byte, sizeof(T)> room;
            how = queue_.try_get(room, size);
            if (how != outcome::done) return std::nullopt;
            return std::bit_cast<T>(room);
        }
    }
    void check_size(const T& item) const {
        if (bytes::of(item).size() <= queue_.item_bytes_max()) return;
        throw std::system_error{make_error_code(std::errc::message_size), "put into a process_queue"};
    }

    detail::shared_queue queue_;
};

}  // namespace os

using os::process_queue;

}  // namespace ringlet
