// SPDX-License-Identifier: MIT
#include "programs.hpp"

#define main ringlet_chat_main
#include "chat/main.cpp"
#undef main

namespace programs {

ringlet::task<int> chat(const chat::options& how) { return chat_quietly(how); }

}  // namespace programs
