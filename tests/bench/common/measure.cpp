// SPDX-License-Identifier: MIT
#include "common/measure.hpp"

#include "common/json_line.hpp"

#include <algorithm>

namespace bench {

summary summarize(std::vector<double> samples) {
    if (samples.empty()) return {};
    std::sort(samples.begin(), samples.end());
    const std::size_t middle = samples.size() / 2;
    const double median = samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
    return {median, samples.front(), samples.back(), samples.size()};
}

void print_summary(std::string_view name, std::string_view unit, const summary& values) {
    json_line{}
        .add("name", name)
        .add("unit", unit)
        .add("median", values.median)
        .add("min", values.min)
        .add("max", values.max)
        .add("repetitions", static_cast<std::uint64_t>(values.repetitions))
        .print();
}

}  // namespace bench
