// SPDX-License-Identifier: MIT
// bench-generator [--short]: a step of a generator beside a call of a state machine that gives the same. A program of its
// own, because the two are compared at -O2. Once with little work in a step, the words of a text, and once with none to
// speak of, where the step itself is all there is.
#include "common/measure.hpp"
#include "limits/state_machine.hpp"
#include <ringlet/core/generator.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

ringlet::generator<std::string_view> words(std::string_view text) {
    std::size_t at = 0;
    for (;;) {
        while (at < text.size() && text[at] == ' ') ++at;
        if (at == text.size()) break;
        const std::size_t begin = at;
        while (at < text.size() && text[at] != ' ') ++at;
        co_yield text.substr(begin, at - begin);
    }
}

ringlet::generator<std::uint64_t> numbers_and_squares(std::uint64_t count) {
    for (std::uint64_t number = 0; number < count; ++number) {
        co_yield number;
        co_yield number* number;
    }
}

std::uint64_t worth(std::uint64_t number) { return number; }
std::uint64_t worth(std::string_view word) { return word.size(); }

/// The values are for the compiler to find out only when it runs.
template <class Values>
std::uint64_t sum_of(Values values) {
    std::uint64_t sum = 0;
    bench::keep(values);
    while (const auto value = values.next()) sum += worth(*value);
    return sum;
}

template <class Sum>
double step_ns(std::uint64_t steps, std::uint64_t expected, Sum& sum) {
    const auto start = bench::clock::now();
    if (sum() != expected) std::abort();
    return bench::nanoseconds_since(start) / static_cast<double>(steps);
}

/// Words of 1 to 9 letters, in no order that a branch predictor could learn.
std::string text_of(std::uint64_t count, std::uint64_t& letters) {
    std::string text;
    std::uint64_t random = 1;
    for (std::uint64_t i = 0; i < count; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        const std::size_t length = 1 + (random >> 33) % 9;
        text.append(length, 'x').append(1, ' ');
        letters += length;
    }
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    const bool short_run = argc > 1 && std::string_view{argv[1]} == "--short";
    const std::size_t repetitions = short_run ? 1 : 27;
    const std::uint64_t steps = short_run ? 2'000 : 100'000;
    const auto measure = [&](std::string_view name, std::uint64_t expected, auto sum) {
        bench::print_summary(name, "ns", bench::repeat(repetitions, [&] { return step_ns(steps, expected, sum); }));
    };
    std::uint64_t letters = 0;
    const std::string text = text_of(steps, letters);
    measure("generator_words", letters, [&] { return sum_of(words(text)); });
    measure("state_machine_words", letters, [&] { return sum_of(bench::words{text}); });

    const std::uint64_t count = steps / 2;
    const std::uint64_t sum = count * (count - 1) / 2 + (count - 1) * count * (2 * count - 1) / 6;
    measure("generator_step", sum, [&] { return sum_of(numbers_and_squares(count)); });
    measure("state_machine_call", sum, [&] { return sum_of(bench::numbers_and_squares{count}); });
}
