// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/frame_pool.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace ringlet {

/// Raised inside a generator that is closed, where it stands. Not a std::exception: clean-up belongs into destructors, or
/// into a handler that throws it on.
class generator_exit final {};

template <class Yield, class Send = void, class Return = void>
class generator;

namespace detail {

template <class T>
using or_char = std::conditional_t<std::is_void_v<T>, char, T>;

/// The part of a generator's promise that does not depend on what it returns.
template <class Yield, class Send>
class generator_base : public in_frame_pool {
public:
    /// A generator and those that it delegates to at the moment: who takes the next value resumes the innermost.
    struct chain {
        generator_base* innermost;
        std::optional<Yield> yielded = std::nullopt;
        std::optional<or_char<Send>> received = std::nullopt;
        std::exception_ptr injected = nullptr;
        bool moved = false;  // the innermost is another one now, and goes on

        // No symmetric transfer, which is no tail call in every build type.
        void run() {
            do {
                moved = false;
                innermost->frame_.resume();
            } while (moved);
        }
        void move_to(generator_base* other) noexcept {
            innermost = other;
            moved = true;
        }
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct final_awaiter {
        final_awaiter() noexcept {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            generator_base& ended = self.promise();
            if (ended.outer_) ended.chain_->move_to(ended.outer_);
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure_ = std::current_exception(); }

    class yield_awaiter {
    public:
        explicit yield_awaiter(generator_base& promise) noexcept : promise_{&promise} {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        auto await_resume() const {
            chain& all = *promise_->chain_;
            if (all.injected) std::rethrow_exception(std::exchange(all.injected, nullptr));
            if constexpr (!std::is_void_v<Send>) return std::exchange(all.received, std::nullopt);
        }

    private:
        generator_base* promise_;
    };
    template <class Value>
        requires std::constructible_from<Yield, Value>
    yield_awaiter yield_value(Value&& value) {
        chain_->yielded.emplace(std::forward<Value>(value));
        return yield_awaiter{*this};
    }

    /// What waits belongs into a task or an async_generator.
    void await_transform() = delete;

protected:
    generator_base() noexcept = default;
    generator_base(const generator_base&) = delete;
    generator_base& operator=(const generator_base&) = delete;
    ~generator_base() = default;

    template <class, class, class>
    friend class ringlet::generator;
    template <class, class, class>
    friend class delegation;

    /// Takes a generator, wherever it stands, into the chain.
    void delegate_to(generator_base& inner) noexcept {
        inner.outer_ = this;
        for (generator_base* one = inner.own_chain_.innermost; one != this; one = one->outer_) one->chain_ = chain_;
        chain_->move_to(inner.own_chain_.innermost);
    }

    chain own_chain_{this};
    chain* chain_ = &own_chain_;
    generator_base* outer_ = nullptr;
    std::coroutine_handle<> frame_;
    std::exception_ptr failure_;
};

template <class Yield, class Send, class Return>
class delegation {
public:
    delegation(generator_base<Yield, Send>& outer, generator<Yield, Send, Return>&& inner) noexcept
        : outer_{&outer}, inner_{std::move(inner)} {}
    bool await_ready() const noexcept { return inner_.done(); }
    void await_suspend(std::coroutine_handle<>) noexcept { outer_->delegate_to(inner_.frame_.promise()); }
    Return await_resume() { return inner_.result(); }

private:
    generator_base<Yield, Send>* outer_;
    generator<Yield, Send, Return> inner_;
};

template <class Yield, class Send, class Return>
class yield_from_request {
public:
    explicit yield_from_request(generator<Yield, Send, Return>&& to) noexcept : inner{std::move(to)} {}
    generator<Yield, Send, Return> inner;
};

template <class Yield, class Send, class Return>
class generator_promise : public generator_base<Yield, Send> {
public:
    generator<Yield, Send, Return> get_return_object() noexcept;
    using generator_base<Yield, Send>::yield_value;
    template <class R>
    delegation<Yield, Send, R> yield_value(yield_from_request<Yield, Send, R>&& to) noexcept {
        return {*this, std::move(to.inner)};
    }
    template <class Value>
        requires std::constructible_from<Return, Value>
    void return_value(Value&& value) {
        returned.emplace(std::forward<Value>(value));
    }
    std::optional<Return> returned;
};

template <class Yield, class Send>
class generator_promise<Yield, Send, void> : public generator_base<Yield, Send> {
public:
    generator<Yield, Send, void> get_return_object() noexcept;
    using generator_base<Yield, Send>::yield_value;
    template <class R>
    delegation<Yield, Send, R> yield_value(yield_from_request<Yield, Send, R>&& to) noexcept {
        return {*this, std::move(to.inner)};
    }
    void return_void() const noexcept {}
};

}  // namespace detail

/// A function that gives values one by one and stands still between them, as Python's. `co_yield value` gives one, and is
/// itself what `send` brings: std::optional<Send>, nullopt when `next` or a range-for went on. `co_return` gives the result.
/// `co_yield yield_from(other)` gives all values of another generator, hands on what is sent and thrown, and is its result.
///
/// Move-only. Thread: any, one at a time; its frame is freed on the thread that destroys it. It waits for nothing: see
/// async_generator.
template <class Yield, class Send, class Return>
class [[nodiscard("a generator does nothing until it is asked for values")]] generator {
public:
    static_assert(!std::is_reference_v<Yield> && !std::is_reference_v<Return>, "yield and return values, or pointers");
    using promise_type = detail::generator_promise<Yield, Send, Return>;

    generator(generator&& other) noexcept
        : frame_{std::exchange(other.frame_, nullptr)},
          current_{std::move(other.current_)},
          started_{other.started_},
          running_{other.running_},
          failed_{other.failed_} {}
    generator& operator=(generator&& other) noexcept {
        if (this == &other) return *this;
        if (frame_) frame_.destroy();
        frame_ = std::exchange(other.frame_, nullptr);
        current_ = std::move(other.current_);
        started_ = other.started_;
        running_ = other.running_;
        failed_ = other.failed_;
        return *this;
    }
    /// Destroys what the generator holds. Unlike `close`, raises nothing in it.
    ~generator() {
        if (frame_) frame_.destroy();
    }

    /// Goes on to the next value.
    /// Result: the value; nullopt at the end, also when asked again. Errors: what leaves the generator, once; then it is
    /// at its end. std::logic_error when it is running, that is, asks itself.
    std::optional<Yield> next() { return go_on(); }

    /// As `next`, and the co_yield that it stands at gives `value`. Errors: std::logic_error before the first `next`, when
    /// there is no co_yield yet that could give it.
    template <class Value>
        requires(!std::is_void_v<Send>) && std::constructible_from<detail::or_char<Send>, Value>
    std::optional<Yield> send(Value&& value) {
        if (!started_) throw std::logic_error{"the first step of a generator brings nothing: use next()"};
        if (!done()) chain().received.emplace(std::forward<Value>(value));
        return go_on();
    }

    /// As `next`, and the co_yield that it stands at throws. One that has not begun, or has ended, ends with it.
    std::optional<Yield> throw_(std::exception_ptr what) {
        if (started_ && !done()) {
            chain().injected = std::move(what);
            return go_on();
        }
        finish();
        std::rethrow_exception(std::move(what));
    }
    template <class Exception>
        requires std::derived_from<std::remove_cvref_t<Exception>, std::exception>
    std::optional<Yield> throw_(Exception&& what) {
        return throw_(std::make_exception_ptr(std::forward<Exception>(what)));
    }

    /// Raises generator_exit where it stands; it ends. Errors: std::runtime_error when it yields instead; what else leaves
    /// it. Nothing happens to one that has not begun or has ended.
    void close() {
        if (!started_ || done()) {
            finish();
            return;
        }
        try {
            chain().injected = std::make_exception_ptr(generator_exit{});
            if (go_on()) throw std::runtime_error{"a generator that was closed went on to yield"};
        } catch (const generator_exit&) {
        }
    }

    bool done() const noexcept { return !frame_ || frame_.done(); }

    /// What it returned, once. Errors: std::logic_error when it has not come to its end, or ended by an exception.
    Return result() {
        const bool ended = frame_ && frame_.done();
        if (!ended || failed_) throw std::logic_error{"this generator has no result: it has not ended, or ended badly"};
        if (const auto failure = take_failure()) std::rethrow_exception(failure);  // that of one delegated to
        if constexpr (!std::is_void_v<Return>) return *std::move(frame_.promise().returned);
    }

    /// For range-for and views: each step is a `next`.
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using difference_type = std::ptrdiff_t;
        using value_type = Yield;

        explicit iterator(generator& from) : from_{&from} { ++*this; }
        Yield& operator*() const noexcept { return *from_->current_; }
        iterator& operator++() {
            from_->current_ = from_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool at_end() const noexcept { return !from_->current_; }
        friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept { return at.at_end(); }

    private:
        generator* from_;
    };
    iterator begin() { return iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    template <class, class, class>
    friend class detail::delegation;
    friend promise_type;
    using chain_type = typename promise_type::chain;

    explicit generator(std::coroutine_handle<promise_type> frame) noexcept : frame_{frame} {}

    chain_type& chain() noexcept { return *frame_.promise().chain_; }
    void finish() noexcept {
        if (frame_ && !frame_.done()) {
            frame_.destroy();
            frame_ = nullptr;
        }
    }
    std::optional<Yield> go_on() {
        if (running_) throw std::logic_error{"a generator asks itself for its next value"};
        if (done()) return std::nullopt;
        started_ = true;
        chain_type& all = chain();
        all.yielded.reset();
        running_ = true;
        all.run();
        running_ = false;
        if (!frame_.done()) return std::exchange(all.yielded, std::nullopt);
        if (const auto failure = take_failure()) std::rethrow_exception(failure);
        return std::nullopt;
    }
    std::exception_ptr take_failure() noexcept {
        std::exception_ptr failure = std::exchange(frame_.promise().failure_, nullptr);
        failed_ = failed_ || failure;
        return failure;
    }

    std::coroutine_handle<promise_type> frame_;
    std::optional<Yield> current_;  // of the iterator
    bool started_ = false;
    bool running_ = false;
    bool failed_ = false;
};

/// In a generator, `co_yield yield_from(inner)`: every value of `inner`, which may have begun; gives its result.
template <class Yield, class Send, class Return>
auto yield_from(generator<Yield, Send, Return>&& inner) noexcept {
    return detail::yield_from_request<Yield, Send, Return>{std::move(inner)};
}

namespace detail {

template <class Yield, class Send, class Return>
generator<Yield, Send, Return> generator_promise<Yield, Send, Return>::get_return_object() noexcept {
    const auto frame = std::coroutine_handle<generator_promise>::from_promise(*this);
    this->frame_ = frame;
    return generator<Yield, Send, Return>{frame};
}
template <class Yield, class Send>
generator<Yield, Send, void> generator_promise<Yield, Send, void>::get_return_object() noexcept {
    const auto frame = std::coroutine_handle<generator_promise>::from_promise(*this);
    this->frame_ = frame;
    return generator<Yield, Send, void>{frame};
}

}  // namespace detail
}  // namespace ringlet
