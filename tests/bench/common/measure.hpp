// SPDX-License-Identifier: MIT
// The timing harness: repeat, take the median, show the spread. No estimate of noise beyond min and max.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

using clock = std::chrono::steady_clock;

inline double nanoseconds_since(clock::time_point start) {
    return std::chrono::duration<double, std::nano>(clock::now() - start).count();
}

struct summary {
    double median = 0;
    double min = 0;
    double max = 0;
    std::size_t repetitions = 0;
};

summary summarize(std::vector<double> samples);

/// Calls `run` (which returns what it measured) once to warm up and then `repetitions` times.
template <typename Run>
summary repeat(std::size_t repetitions, Run&& run) {
    static_cast<void>(run());
    std::vector<double> samples;
    samples.reserve(repetitions);
    for (std::size_t i = 0; i < repetitions; ++i) samples.push_back(run());
    return summarize(std::move(samples));
}

/// Prints {"name": ..., "unit": ..., "median": ..., "min": ..., "max": ..., "repetitions": ...}.
void print_summary(std::string_view name, std::string_view unit, const summary& values);

/// Keeps the compiler from removing the computation of `value`.
template <typename T>
inline void keep(const T& value) {
    asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace bench
