// SPDX-License-Identifier: MIT
#include "common/measure.hpp"
#include "micro/micro.hpp"
#include <ringlet/core/detail/job_block.hpp>

namespace bench {

void print_sizes(const micro_options&) {
    print_summary("control_block", "B", summarize({static_cast<double>(sizeof(ringlet::detail::job_block))}));
}

}  // namespace bench
