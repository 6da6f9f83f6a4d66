// SPDX-License-Identifier: MIT
#include "compare/results.hpp"

#include <numeric>

namespace comparison {
namespace {

double per(double what, std::uint64_t requests) noexcept {
    return requests == 0 ? 0 : what / static_cast<double>(requests);
}

}  // namespace

nanoseconds latencies::at(double share) const noexcept {
    const auto found = std::ranges::lower_bound(curve, share, {}, &point::share);
    if (found != curve.end()) return found->time;
    return curve.empty() ? nanoseconds{0} : curve.back().time;
}

std::string_view name_of(error_kind kind) noexcept {
    switch (kind) {
        case error_kind::refused:
            return "refused";
        case error_kind::reset:
            return "reset";
        case error_kind::timed_out:
            return "timed out";
        case error_kind::wrong_status:
            return "wrong status";
        case error_kind::wrong_bytes:
            return "wrong bytes";
        case error_kind::no_http:
            return "no HTTP";
    }
    return "";
}

nanoseconds measurement::cpu_per_request() const noexcept {
    return answered_ever == 0 ? nanoseconds{0} : (user + system) / static_cast<std::int64_t>(answered_ever);
}

double measurement::memory_per_connection() const noexcept {
    return per(static_cast<double>(memory_grown_bytes), connections);
}

double measurement::switches_per_request() const noexcept {
    return per(static_cast<double>(switches_voluntary + switches_forced), answered_ever);
}

std::uint64_t measurement::all_errors() const noexcept {
    return std::accumulate(errors.begin(), errors.end(), std::uint64_t{0});
}

}  // namespace comparison
