# SPDX-License-Identifier: MIT
"""What this kernel allows."""

import ctypes
import errno

IO_URING_SETUP = 425


def has_io_uring():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(IO_URING_SETUP, 0, None)
    return ctypes.get_errno() not in (errno.EPERM, errno.EACCES, errno.ENOSYS)
