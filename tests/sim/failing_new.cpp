// SPDX-License-Identifier: MIT
#include <ringlet/testing/failing_new.hpp>
