// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/offload.hpp>

namespace ringlet::os {
using io::offload;
}  // namespace ringlet::os

namespace ringlet {
using io::offload;
}  // namespace ringlet
