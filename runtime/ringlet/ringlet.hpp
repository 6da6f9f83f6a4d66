// SPDX-License-Identifier: MIT
#pragma once

// Everything: includes and nothing else.

#include <ringlet/core/awaitable.hpp>
#include <ringlet/core/combinators.hpp>
#include <ringlet/core/error.hpp>
#include <ringlet/core/job.hpp>
#include <ringlet/core/result.hpp>
#include <ringlet/core/task.hpp>
#include <ringlet/core/task_group.hpp>
#include <ringlet/io/loop.hpp>
#include <ringlet/time/clock.hpp>
#include <ringlet/time/joinall.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>
