// SPDX-License-Identifier: MIT
#pragma once

#include <ringlet/core/task.hpp>
#include <ringlet/net/endpoint.hpp>
#include <ringlet/net/tcp_stream.hpp>

#include <string>
#include <vector>

namespace ringlet::net::detail {

/// What tcp_stream::connect does once it knows the addresses of `host`.
task<tcp_stream> connect_to_one_of(std::vector<endpoint> peers, std::string host);

}  // namespace ringlet::net::detail
