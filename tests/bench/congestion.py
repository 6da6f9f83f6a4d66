# SPDX-License-Identifier: MIT
"""The system's TCP congestion control, for as long as something is measured."""
import contextlib
import pathlib
import sys

SETTING = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")


@contextlib.contextmanager
def congestion_control(name):
    """All sockets that are made meanwhile have it, on both sides. None: as it is."""
    before = SETTING.read_text().strip() if name else None
    try:
        if name:
            SETTING.write_text(name)
    except OSError as error:
        sys.exit(f"--congestion {name}: {error.strerror}; as root, one of "
                 + SETTING.with_name("tcp_available_congestion_control").read_text().strip())
    try:
        yield
    finally:
        if name:
            SETTING.write_text(before)
