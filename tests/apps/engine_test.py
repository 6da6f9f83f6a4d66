# SPDX-License-Identifier: MIT
"""On which engine the programs run, and what they say of it. usage: engine_test.py DENY_IO_URING SERVE FETCH CHAT ECHO XFER"""

import ctypes
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

HANGS_AFTER = 60
deny, serve, fetch, chat, echo, xfer = sys.argv[1:7]


def without_locked_memory():
    drop, ipc_lock = 24, 14  # prctl(2): PR_CAPBSET_DROP, CAP_IPC_LOCK, whom the limit does not concern
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(drop, ipc_lock, 0, 0, 0):
        raise OSError("prctl")
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))


def run(*command, engine=None, stop=False, before=None):
    """Status and standard error. `stop`: with Ctrl-C, once the program has said where it is."""
    environment = {name: value for name, value in os.environ.items() if name != "RINGLET_ENGINE"}
    if engine is not None:
        environment["RINGLET_ENGINE"] = engine
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, preexec_fn=before)
    if stop:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=HANGS_AFTER)
    finally:
        process.kill()
    return process.returncode, said


class Engine(unittest.TestCase):
    def each(self):
        """The command of each program with -v, and whether it goes on until it is stopped."""
        with tempfile.TemporaryDirectory() as folder:
            yield [serve, folder, "--port", "0", "-v"], True
            yield [echo, "--port", "0", "-v"], True
            yield [xfer, "serve", folder, "--port", "0", "-v"], True
            yield [chat, "127.0.0.1", "9", "-v"], False
            yield [fetch, "-v", "--tries", "1", "-P", folder, "http://127.0.0.1:9/x"], False  # refused

    def test_each_names_the_one_that_was_forced(self):
        for command, stop in self.each():
            with self.subTest(pathlib.Path(command[0]).name):
                _, said = run(*command, engine="epoll", stop=stop)
                self.assertIn("engine: epoll (RINGLET_ENGINE asks for it)\n", said)

    def test_each_falls_back_where_io_uring_is_denied_and_says_why(self):
        for command, stop in self.each():
            with self.subTest(pathlib.Path(command[0]).name):
                status, said = run(deny, *command, stop=stop)
                self.assertIn("engine: epoll (io_uring is not available here: a seccomp filter denies it", said)
                self.assertEqual(status, 4 if command[0] == fetch else 0, said)

    def test_each_runs_where_no_memory_may_be_locked(self):
        for command, stop in self.each():
            with self.subTest(pathlib.Path(command[0]).name):
                status, said = run(*command, stop=stop, before=without_locked_memory)
                self.assertEqual(status, 4 if command[0] == fetch else 0, said)  # older kernels count no ring

    def test_forced_to_what_is_denied_it_names_the_remedy(self):
        status, said = run(deny, echo, "--port", "0", engine="uring")
        self.assertEqual(status, 1)
        self.assertRegex(said, r"^ringlet-echo: io_uring is not available here: a seccomp filter denies it.*--security-opt")

    def test_another_engine_is_wrong_usage(self):
        status, said = run(echo, "--port", "0", engine="kqueue")
        self.assertEqual(status, 2)
        self.assertRegex(said, r'^ringlet-echo: RINGLET_ENGINE is "kqueue"; it can be uring or epoll\n')


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
