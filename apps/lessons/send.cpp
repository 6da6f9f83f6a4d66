// SPDX-License-Identifier: MIT
// send: a generator that is told something at every step.
//
// yield works in both directions. "x = yield y" gives y out, stands still, and when it goes on, x
// is what was sent in: g.send(5) makes the yield inside give 5. So a generator is a conversation
// with a function that stands still between two sentences. The first step must be next(), because
// before it there is no yield that could take what is sent.
//
// Here std::optional says whether anything was sent at all: after next() it is empty (None in
// Python).

#include <ringlet/core/generator.hpp>

#include <fmt/core.h>

#include <stdexcept>
#include <string>

// The mean of all numbers so far. It gives doubles out, is sent doubles, and returns a text at the end.
ringlet::generator<double, double, std::string> mean() {
    double sum = 0;
    int count = 0;
    for (;;) {
        const double mean_now = count > 0 ? sum / count : 0;
        const auto sent = co_yield mean_now;
        if (!sent) break;  // next() came in place of send(): no more numbers
        sum += *sent;
        ++count;
    }
    co_return fmt::format("{} numbers", count);  // Python: return value, which StopIteration carries
}

int main() {
    auto average = mean();
    try {
        average.send(1.0);
    } catch (const std::logic_error& error) {
        fmt::print("send first: {}\n", error.what());
    }
    average.next();  // runs to the first co_yield
    for (const double number : {10.0, 20.0, 60.0}) {
        const auto now = average.send(number);
        fmt::print("sent {}, the mean is {}\n", number, *now);
    }
    const auto end = average.next();
    fmt::print("anything more: {}; it returned \"{}\"\n", end.has_value(), average.result());
}
