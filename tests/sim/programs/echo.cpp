// SPDX-License-Identifier: MIT
#include "programs.hpp"

#define main ringlet_echo_main
#include "echo/main.cpp"
#undef main

namespace programs {

ringlet::task<> echo(const echo::options& how) { return how.tcp ? echo_tcp(how) : echo_udp(how); }

}  // namespace programs
