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
    struct chain;
    /// What a generator that another delegates to is held by; part of the frame of that one.
    class holder {
    public:
        /// It is destroyed by who asks.
        virtual void let_go() noexcept = 0;

    protected:
        ~holder() = default;
    };
    /// Where a generator stands; part of its frame.
    struct standing {
        Yield value;
        chain* brings = nullptr;  // what it goes on with, if anything
    };
    /// A generator and those that it delegates to at the moment: who takes the next value resumes the innermost.
    struct chain {
        generator_base* innermost;
        std::coroutine_handle<> frame = nullptr;  // its
        standing* at = nullptr;                   // where it stands; null unless it does
        std::optional<or_char<Send>> received = std::nullopt;
        std::exception_ptr injected = nullptr;

        // No symmetric transfer, which is no tail call in every build type.
        standing* run() {
            at = nullptr;
            for (;;) {
                const std::coroutine_handle<> resumed = frame;
                resumed.resume();
                if (frame == resumed) return at;  // else it has moved, and goes on there
            }
        }
        void move_to(generator_base& other) noexcept {
            innermost = &other;
            frame = other.frame_;
        }
        [[gnu::noinline]] std::optional<or_char<Send>> take() {
            if (injected) std::rethrow_exception(std::exchange(injected, nullptr));
            return std::exchange(received, std::nullopt);
        }
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct final_awaiter {
        final_awaiter() noexcept {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            generator_base& ended = self.promise();
            if (ended.outer_) ended.chain_->move_to(*ended.outer_);
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure_ = std::current_exception(); }

    class yield_awaiter {
    public:
        template <class Value>
        explicit yield_awaiter(Value&& value) : here_{Yield(std::forward<Value>(value))} {}
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> self) noexcept {
            static_cast<generator_base&>(self.promise()).chain_->at = &here_;
        }
        auto await_resume() const {
            if constexpr (!std::is_void_v<Send>)
                return here_.brings ? here_.brings->take() : std::nullopt;
            else if (here_.brings) [[unlikely]]
                here_.brings->take();
        }

    private:
        standing here_;
    };
    template <class Value>
        requires std::constructible_from<Yield, Value>
    yield_awaiter yield_value(Value&& value) {
        return yield_awaiter{std::forward<Value>(value)};
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
    void delegate_to(generator_base& inner, holder& held_by) noexcept {
        inner.outer_ = this;
        inner.held_by_ = &held_by;
        for (generator_base* one = inner.own_chain_.innermost; one != this; one = one->outer_) one->chain_ = chain_;
        chain_->move_to(*inner.own_chain_.innermost);
    }

    /// Those that it delegates to go first, as they would within it, but from here: they may be as many as the program likes,
    /// and each would destroy the next on top of the stack.
    void destroy() noexcept {
        for (chain* const all = chain_ == &own_chain_ ? chain_ : nullptr; all && all->innermost != this;) {
            generator_base& last = *all->innermost;
            all->innermost = last.outer_;
            last.held_by_->let_go();
            last.frame_.destroy();
        }
        frame_.destroy();
    }

    chain own_chain_{this};
    chain* chain_ = &own_chain_;
    generator_base* outer_ = nullptr;
    holder* held_by_ = nullptr;  // once another delegates to it
    std::coroutine_handle<> frame_;
    std::exception_ptr failure_;
};

template <class Yield, class Send, class Return>
class delegation final : private generator_base<Yield, Send>::holder {
public:
    delegation(generator_base<Yield, Send>& outer, generator<Yield, Send, Return>&& inner) noexcept
        : outer_{&outer}, inner_{std::move(inner)} {}
    bool await_ready() const noexcept { return inner_.done(); }
    void await_suspend(std::coroutine_handle<>) noexcept { outer_->delegate_to(inner_.frame_.promise(), *this); }
    Return await_resume() { return inner_.result(); }

private:
    void let_go() noexcept override { inner_.frame_ = nullptr; }

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
        : frame_{std::exchange(other.frame_, nullptr)}, begun_{other.begun_}, failed_{other.failed_} {}
    generator& operator=(generator&& other) noexcept {
        if (this == &other) return *this;
        destroy();
        frame_ = std::exchange(other.frame_, nullptr);
        begun_ = other.begun_;
        failed_ = other.failed_;
        return *this;
    }
    /// Destroys what the generator holds. Unlike `close`, raises nothing in it.
    ~generator() { destroy(); }

    /// Goes on to the next value.
    /// Result: the value; nullopt at the end, also when asked again. Errors: what leaves the generator, once; then it is
    /// at its end. std::logic_error when it is running, that is, asks itself.
    std::optional<Yield> next() { return taken(go_on()); }

    /// As `next`, and the co_yield that it stands at gives `value`. Errors: std::logic_error before the first `next`, when
    /// there is no co_yield yet that could give it.
    template <class Value>
        requires(!std::is_void_v<Send>) && std::constructible_from<detail::or_char<Send>, Value>
    std::optional<Yield> send(Value&& value) {
        if (!begun_) throw std::logic_error{"the first step of a generator brings nothing: use next()"};
        if (chain_type* const all = standing()) {
            all->received.emplace(std::forward<Value>(value));
            all->at->brings = all;
        }
        return next();
    }

    /// As `next`, and the co_yield that it stands at throws. One that has not begun, or has ended, ends with it.
    std::optional<Yield> throw_(std::exception_ptr what) {
        if (begun_ && !done()) {
            inject(std::move(what));
            return next();
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
        if (!begun_ || done()) {
            finish();
            return;
        }
        try {
            inject(std::make_exception_ptr(generator_exit{}));
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
        Yield& operator*() const noexcept { return *at_; }
        iterator& operator++() {
            at_ = from_->go_on();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool at_end() const noexcept { return at_ == nullptr; }
        friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept { return at.at_end(); }

    private:
        generator* from_;
        Yield* at_ = nullptr;
    };
    iterator begin() { return iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    template <class, class, class>
    friend class detail::delegation;
    friend promise_type;
    using chain_type = typename promise_type::chain;

    explicit generator(std::coroutine_handle<promise_type> frame) noexcept : frame_{frame} {}

    /// Null unless it stands at a value. One that another delegates to belongs to that one, and is asked by nobody else: so
    /// it is always its own chain.
    chain_type* standing() noexcept {
        chain_type* const all = frame_ ? &frame_.promise().own_chain_ : nullptr;
        return all && all->at ? all : nullptr;
    }
    void inject(std::exception_ptr what) noexcept {
        if (chain_type* const all = standing()) {
            all->injected = std::move(what);
            all->at->brings = all;
        }
    }
    void destroy() noexcept {
        if (frame_) frame_.promise().destroy();
    }
    void finish() noexcept {
        if (frame_ && !frame_.done()) {
            destroy();
            frame_ = nullptr;
        }
    }
    /// The next value, in the frame until it goes on; null at the end.
    Yield* go_on() {
        if (!standing() && !starts()) [[unlikely]]
            return nullptr;
        if (auto* const stop = frame_.promise().own_chain_.run()) [[likely]]
            return &stop->value;
        raise_failure();
        return nullptr;
    }
    /// Whether one that does not stand at a value may go on: it has not begun yet.
    [[gnu::noinline]] bool starts() {
        if (done()) return false;
        if (begun_) throw std::logic_error{"a generator asks itself for its next value"};
        begun_ = true;
        return true;
    }
    [[gnu::noinline]] void raise_failure() {
        if (const auto failure = take_failure()) std::rethrow_exception(failure);
    }
    static std::optional<Yield> taken(Yield* value) {
        if (!value) return std::nullopt;
        return std::move(*value);
    }
    std::exception_ptr take_failure() noexcept {
        std::exception_ptr failure = std::exchange(frame_.promise().failure_, nullptr);
        failed_ = failed_ || failure;
        return failure;
    }

    std::coroutine_handle<promise_type> frame_;
    bool begun_ = false;
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
    this->frame_ = this->own_chain_.frame = frame;
    return generator<Yield, Send, Return>{frame};
}
template <class Yield, class Send>
generator<Yield, Send, void> generator_promise<Yield, Send, void>::get_return_object() noexcept {
    const auto frame = std::coroutine_handle<generator_promise>::from_promise(*this);
    this->frame_ = this->own_chain_.frame = frame;
    return generator<Yield, Send, void>{frame};
}

}  // namespace detail
}  // namespace ringlet
