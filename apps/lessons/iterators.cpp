// SPDX-License-Identifier: MIT
// Iterators: what a for loop calls, and a class of our own that can be looped over.
//
// In Python "for x in things" calls iter(things), and then next() on what that gave until it raises
// StopIteration. In C++ "for (x : things)" calls things.begin() and things.end(): two iterators,
// which work like pointers. *it is the item, ++it goes to the next one, and the loop ends when
// begin has become equal to end.
//
// Values are made when they are asked for: a countdown from a million needs no list of a million
// numbers.

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

class countdown {
public:
    explicit countdown(int from) : from_{from} {}

    class iterator {
    public:
        using value_type = int;  // these two lines tell the standard library's functions what they deal with
        using difference_type = std::ptrdiff_t;
        iterator() = default;
        explicit iterator(int now) : now_{now} {}
        int operator*() const { return now_; }  // the item; Python's __next__ does this and the next one in one
        iterator& operator++() {
            --now_;
            return *this;
        }
        iterator operator++(int) {  // it++
            iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const iterator& other) const { return now_ == other.now_; }

    private:
        int now_ = 0;
    };

    iterator begin() const { return iterator{from_}; }  // Python's __iter__
    iterator end() const { return iterator{0}; }        // Python's StopIteration

private:
    int from_;
};

int main() {
    for (const int n : countdown{3}) fmt::print("{} ", n);
    fmt::print("go\n");

    // The same loop by hand, as the compiler writes it.
    const countdown from_three{3};
    for (auto it = from_three.begin(); it != from_three.end(); ++it) fmt::print("{} ", *it);
    fmt::print("go\n");

    // What has begin() and end() can be given to every algorithm of the standard library.
    const countdown from_ten{10};
    fmt::print("even numbers: {}\n", std::ranges::count_if(from_ten, [](int n) { return n % 2 == 0; }));
    const std::vector<int> list(from_three.begin(), from_three.end());  // Python: list(countdown(3))
    fmt::print("a list of {} numbers, the first is {}\n", list.size(), list.front());
}
