// SPDX-License-Identifier: MIT
#pragma once

// Constants of the kernel's io_uring interface that are newer than liburing 2.3. Each is used only behind a probe.

namespace ringlet::io::detail {

inline constexpr unsigned feature_no_iowait = 1u << 17;  // IORING_FEAT_NO_IOWAIT, Linux 6.15
inline constexpr unsigned enter_no_iowait = 1u << 7;     // IORING_ENTER_NO_IOWAIT, Linux 6.15

}  // namespace ringlet::io::detail
