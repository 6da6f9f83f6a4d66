// SPDX-License-Identifier: MIT
// expect: a task returns a value
#include <ringlet/core/task.hpp>

int number = 1;

#ifdef CONTROL
ringlet::task<int*> find_number() { co_return &number; }
#else
ringlet::task<int&> find_number() { co_return number; }
#endif
