// SPDX-License-Identifier: MIT
#include "compare/report/curve.hpp"

#include <cmath>

namespace comparison {

double position_of(double share) noexcept {
    if (!(share > 0)) return 0;
    if (share < 0.9) return share / 0.9;
    return share < 1 ? std::min(positions, -std::log10(1 - share)) : positions;
}

std::vector<latencies::point> thinned(const latencies& times) {
    constexpr double apart = positions / 100;
    std::vector<latencies::point> out;
    for (const latencies::point& each : times.curve) {
        if (out.empty() || position_of(each.share) - position_of(out.back().share) >= apart) out.push_back(each);
    }
    if (!out.empty() && out.back().share < times.curve.back().share) out.push_back(times.curve.back());
    return out;
}

const measurement* typical_run(const row& one) {
    std::vector<const measurement*> answered;
    for (const measurement& run : one.runs)
        if (!run.times.curve.empty()) answered.push_back(&run);
    if (answered.empty()) return nullptr;
    std::ranges::sort(answered, {}, [](const measurement* run) { return run->times.at(0.5); });
    return answered[answered.size() / 2];
}

}  // namespace comparison
