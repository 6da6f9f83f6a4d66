// SPDX-License-Identifier: MIT
#include <ringlet/testing/detail/allocation.hpp>
#include <ringlet/testing/detail/world.hpp>

#include <new>

namespace ringlet::testing::detail {

void allocation_faults::allocation() {
    if (!armed || paused > 0) return;
    if (++seen == failing) throw std::bad_alloc{};
}

void allocation_faults::frame() {
    if (!armed || paused > 0) return;
    if (++seen == failing) throw std::bad_alloc{};
    if (seed && seed->happens(fault::no_frame)) throw std::bad_alloc{};
}

}  // namespace ringlet::testing::detail
