// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/awaitable.hpp>
#include <ringlet/sync/detail/wait_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace ringlet {

/// Orders of a queue: what `get` gives next. Each holds the items that wait.
template <class T>
class fifo_order {
public:
    void push(T&& item) { items_.push_back(std::move(item)); }
    T pop() noexcept {
        T first = std::move(items_.front());
        items_.pop_front();
        return first;
    }
    std::size_t size() const noexcept { return items_.size(); }
    bool empty() const noexcept { return items_.empty(); }

private:
    std::deque<T> items_;
};

template <class T>
class lifo_order {
public:
    void push(T&& item) { items_.push_back(std::move(item)); }
    T pop() noexcept {
        T last = std::move(items_.back());
        items_.pop_back();
        return last;
    }
    std::size_t size() const noexcept { return items_.size(); }
    bool empty() const noexcept { return items_.empty(); }

private:
    std::vector<T> items_;
};

/// The smallest first, as Python's PriorityQueue; among equal ones the order is not specified.
template <class T, class Less = std::less<T>>
class priority_order {
public:
    void push(T&& item) {
        items_.push_back(std::move(item));
        std::push_heap(items_.begin(), items_.end(), &after);
    }
    T pop() {
        std::pop_heap(items_.begin(), items_.end(), &after);
        T first = std::move(items_.back());
        items_.pop_back();
        return first;
    }
    std::size_t size() const noexcept { return items_.size(); }
    bool empty() const noexcept { return items_.empty(); }

private:
    static bool after(const T& a, const T& b) { return Less{}(b, a); }
    std::vector<T> items_;
};

namespace detail {

/// What queue and channel share: items, and jobs that wait at either end.
template <class T, class Order>
class queue_core {
public:
    explicit queue_core(std::size_t capacity) : capacity_{capacity} {}

    class put_wait final : public leaf<put_wait, void> {
    public:
        put_wait(queue_core& to, T&& item) : to_{&to}, item_{std::move(item)} {}
        static constexpr std::string_view name = "put into a closed queue";  // the only error
        bool start(job_block& job) {
            if (to_->closed_) [[unlikely]]
                job.res = closed_meanwhile;
            else if (!to_->give_or_keep(item_)) {
                to_->putters_.add(job, waiting, this);
                return true;
            }
            return suspend_once(job);
        }
        result<void> outcome(job_block& job) const noexcept {
            if (job.res == closed_meanwhile) [[unlikely]]
                return make_error_code(std::errc::broken_pipe);
            return {};
        }

    private:
        friend queue_core;
        static constexpr wait_kind waiting{
            .name = "room in a queue", .cancel = &wait_list::cancel, .describe = nullptr};
        queue_core* to_;
        T item_;
    };

    class get_wait final : public leaf<get_wait, std::optional<T>> {
    public:
        explicit get_wait(queue_core& from) noexcept : from_{&from} {}
        static constexpr std::string_view name = "an item of a queue";
        bool start(job_block& job) {
            if (from_->nothing_to_take() && !from_->closed_) {
                from_->getters_.add(job, waiting, this);
                return true;
            }
            from_->take(item_);
            return suspend_once(job);
        }
        std::optional<T> outcome(job_block&) noexcept {
            if (!item_) return std::nullopt;
            return std::move(*item_);  // not the optional, of which flag and value were written one by one just now
        }

    private:
        friend queue_core;
        static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = nullptr};
        queue_core* from_;
        std::optional<T> item_;
    };

    std::size_t size() const noexcept { return items_.size(); }
    std::size_t capacity() const noexcept { return capacity_; }
    bool closed() const noexcept { return closed_; }
    bool full() const noexcept { return items_.size() >= capacity_; }

    /// To the job that waits longest, or among the items. False when there is no room.
    bool give_or_keep(T& item) {
        if (job_block* const getter = getters_.first()) {
            static_cast<get_wait*>(getter->wait_object)->item_.emplace(std::move(item));
            wait_list::wake(*getter);
            ++unfinished_;
            return true;
        }
        return keep(item);
    }
    bool nothing_to_take() const noexcept { return items_.empty() && putters_.empty(); }
    std::optional<T> take() {
        std::optional<T> item;
        take(item);
        return item;
    }
    void done() {
        if (unfinished_ == 0) throw std::logic_error{"task_done was called more often than items were put"};
        if (--unfinished_ == 0) joiners_.wake_all();
    }
    void close() noexcept {
        closed_ = true;
        getters_.wake_all();
        while (job_block* const putter = putters_.first()) {
            putter->res = closed_meanwhile;
            wait_list::wake(*putter);
        }
    }

    class join_wait final : public leaf<join_wait, void> {
    public:
        explicit join_wait(queue_core& of) noexcept : of_{&of} {}
        static constexpr std::string_view name = "the end of a queue's work";
        bool start(job_block& job) noexcept {
            if (of_->unfinished_ == 0) return suspend_once(job);
            of_->joiners_.add(job, waiting, of_);
            return true;
        }
        result<void> outcome(job_block&) const noexcept { return {}; }

    private:
        static constexpr wait_kind waiting{.name = name, .cancel = &wait_list::cancel, .describe = nullptr};
        queue_core* of_;
    };

private:
    static constexpr std::int32_t closed_meanwhile = -1;  // a `res`

    // Apart from what is above, so that it is small where an item goes from hand to hand.
    [[gnu::noinline]] bool keep(T& item) {
        if (full()) return false;
        items_.push(std::move(item));
        ++unfinished_;
        return true;
    }
    /// The next item, if any, into `item`, which is empty; and that of the job that waits longest to put one in its place.
    [[gnu::noinline]] void take(std::optional<T>& item) {
        if (!items_.empty()) item.emplace(items_.pop());
        job_block* const putter = putters_.first();
        if (!putter) return;
        T& offered = static_cast<put_wait*>(putter->wait_object)->item_;
        if (item) {
            try {
                items_.push(std::move(offered));
            } catch (const std::bad_alloc&) {  // it goes on waiting, and is asked again by the next who takes
                return;
            }
        } else {
            item.emplace(std::move(offered));
        }
        ++unfinished_;
        wait_list::wake(*putter);
    }

    wait_list getters_;
    wait_list putters_;
    wait_list joiners_;
    Order items_;
    std::size_t capacity_;
    std::size_t unfinished_ = 0;
    bool closed_ = false;
};

}  // namespace detail

/// A queue between jobs; whoever puts or gets first is served first. As gevent's JoinableQueue; `Order` makes it a LifoQueue or
/// PriorityQueue. An item is never lost: a `get` that is cancelled after it was given one delivers it, and one that is
/// cancelled before takes none. (In a `first_of` that another won, the item is dropped with the result.)
/// Thread: the loop's thread only.
template <class T, class Order = fifo_order<T>>
class queue {
public:
    /// Holds up to `capacity` items, one or more.
    explicit queue(std::size_t capacity = std::numeric_limits<std::size_t>::max()) : core_{capacity} {
        detail::require(capacity > 0, "a queue without room is a ringlet::channel");
    }
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    /// Puts an item, waits while the queue is full.
    /// Errors: std::errc::broken_pipe when the queue is closed, `cancelled`; the item is gone then.
    auto put(T item) { return typename core::put_wait{core_, std::move(item)}; }
    /// Result: false when it is full or closed; the item is still the caller's.
    bool try_put(T&& item) { return !core_.closed() && core_.give_or_keep(item); }

    /// Gets the next item, waits while there is none.
    /// Result: nullopt when the queue is closed and empty. Errors: `cancelled`.
    auto get() noexcept { return typename core::get_wait{core_}; }
    std::optional<T> try_get() { return core_.take(); }

    /// Nothing more is put: `get` gives what is left, and then nullopt; who waits to put gets an error.
    void close() noexcept { core_.close(); }
    bool closed() const noexcept { return core_.closed(); }

    /// Says that an item that was got has been dealt with. Throws std::logic_error when there was none.
    void task_done() { core_.done(); }
    /// Waits until task_done was called for every item. Errors: `cancelled`.
    auto join() noexcept { return typename core::join_wait{core_}; }

    std::size_t size() const noexcept { return core_.size(); }
    std::size_t capacity() const noexcept { return core_.capacity(); }
    bool empty() const noexcept { return size() == 0; }
    bool full() const noexcept { return core_.full(); }

private:
    using core = detail::queue_core<T, Order>;
    core core_;
};

}  // namespace ringlet
