// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/loop.hpp>

#include <fmt/format.h>

#include <string>

namespace apps {

/// What --verbose says first: on which engine the program runs, and why.
inline std::string engine_line() {
    const ringlet::loop& here = ringlet::loop::current();
    return fmt::format("engine: {} ({})", here.engine_name(), here.engine_reason());
}

}  // namespace apps
