// SPDX-License-Identifier: MIT
#include "programs.hpp"

#define main ringlet_fetch_main
#include "fetch/main.cpp"
#undef main

namespace programs {

ringlet::task<int> fetch(const fetch::options& how) { return fetch_and_tell(how); }

}  // namespace programs
