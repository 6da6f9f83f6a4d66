// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/io/detail/request.hpp>

#include <cstddef>
#include <span>

namespace ringlet::io::detail {

/// Does what the request asks without blocking, or says what to wait for; or that it is a matter for a thread, because
/// the file cannot be waited for. `room` is where a recv puts its data: the SQE's buffer, or a provided one.
attempt try_call(request& r, std::span<std::byte> room);

}  // namespace ringlet::io::detail
