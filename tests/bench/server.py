# SPDX-License-Identifier: MIT
"""An echo server as a child process that says on its first line where it listens."""
import os
import re
import subprocess


class Server:
    def __init__(self, command, core=None, environment=None, errors=None):
        pin = None if core is None else lambda: os.sched_setaffinity(0, {core})
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=pin,
                                        env={**os.environ, **(environment or {})})
        first = self.process.stdout.readline()
        address = re.search(r":(\d+)/?(?:,|\s*$)", first)
        if not address:
            self.stop()
            raise RuntimeError(f"{command[0]} did not say where it listens: {first!r}")
        self.port = int(address.group(1))
        self.pid = self.process.pid

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
