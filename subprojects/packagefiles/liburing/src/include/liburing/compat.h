/* SPDX-License-Identifier: MIT */
/* What liburing's public headers take from the kernel's, where those are older than that. */
#pragma once
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/ioctl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#if __has_include(<linux/time_types.h>)
#include <linux/time_types.h>
#else
struct __kernel_timespec {
    int64_t tv_sec;
    long long tv_nsec;
};
#endif
/* Here either way, so io_uring.h need not look for it. */
#define UAPI_LINUX_IO_URING_H_SKIP_LINUX_TIME_TYPES_H 1

#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#else
struct open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};
#endif

#ifndef FUTEX_32 /* before Linux 5.16 */
#define FUTEX_32 2
#define FUTEX_WAITV_MAX 128
struct futex_waitv {
    uint64_t val;
    uint64_t uaddr;
    uint32_t flags;
    uint32_t __reserved;
};
#endif

#ifndef BLOCK_URING_CMD_DISCARD /* before Linux 6.12 */
#define BLOCK_URING_CMD_DISCARD _IO(0x12, 0)
#endif
