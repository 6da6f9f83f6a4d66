// SPDX-License-Identifier: MIT
// Fibonacci twice: as an iterator, and as a generator.
//
// Each Fibonacci number is the sum of the two before it: 0 1 1 2 3 5 8 ... As an iterator, the
// object has to remember where it stands: two numbers and a count are its members, and ++ computes
// the next step. As a generator, the function itself remembers: at co_yield (Python: yield) it
// hands a value out and stands still, with all its local variables, until somebody asks for the
// next one. The same loop that would print the numbers now gives them away.

#include <ringlet/core/generator.hpp>

#include <fmt/core.h>

#include <ranges>

// --- as an iterator ---

class fibonacci_iterator {
public:
    explicit fibonacci_iterator(int count) : left_{count} {}
    int operator*() const { return a_; }
    fibonacci_iterator& operator++() {
        const int sum = a_ + b_;
        a_ = b_;
        b_ = sum;
        --left_;
        return *this;
    }
    bool operator!=(const fibonacci_iterator& end) const { return left_ != end.left_; }

private:
    int a_ = 0;
    int b_ = 1;
    int left_;
};

struct fibonacci_numbers {
    int count;
    fibonacci_iterator begin() const { return fibonacci_iterator{count}; }
    fibonacci_iterator end() const { return fibonacci_iterator{0}; }
};

// --- as a generator ---

ringlet::generator<int> fibonacci() {  // without an end: who asks decides how many
    int a = 0;
    int b = 1;
    for (;;) {
        co_yield a;
        const int sum = a + b;
        a = b;
        b = sum;
    }
}

int main() {
    fmt::print("iterator: ");
    for (const int n : fibonacci_numbers{10}) fmt::print(" {}", n);

    fmt::print("\ngenerator:");
    auto numbers = fibonacci();
    for (const int n : numbers | std::views::take(10)) fmt::print(" {}", n);

    const auto next = numbers.next();  // Python: next(numbers); it goes on where it stood
    fmt::print("\nand the next one: {}\n", *next);
}
