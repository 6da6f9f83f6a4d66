// SPDX-License-Identifier: MIT
#include "programs.hpp"

#define main ringlet_xfer_main
#include "xfer/main.cpp"
#undef main

namespace programs {

ringlet::task<> xfer_serve(xfer::serve_options how) { co_await serve_files(how); }
ringlet::task<int> xfer_get(const xfer::get_options& how) { return get_file(how); }

}  // namespace programs
