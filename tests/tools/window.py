# SPDX-License-Identifier: MIT
"""A terminal window to run a program in, and to look at: tmux."""

import contextlib
import os
import shutil
import subprocess
import time
import unicodedata

TMUX = shutil.which("tmux")

# No test takes nearly so long: who is not done by then hangs.
HANGS_AFTER = 60


def cells(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Window:
    """Runs a script of sh in a window of its own, until the test case has ended."""

    def __init__(self, case, columns, rows, script):
        self.case = case
        self.columns, self.rows = columns, rows
        self.socket = f"ringlet-{os.getpid()}-{case.id().rpartition('.')[2]}"
        case.addCleanup(self.stop)
        self.tmux("new-session", "-d", "-x", columns, "-y", rows, "sh", "-c", script)

    def tmux(self, *arguments):
        return subprocess.run(
            [TMUX, "-L", self.socket, "-f", "/dev/null", *map(str, arguments)],
            check=True,
            capture_output=True,
            timeout=HANGS_AFTER,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"},
        ).stdout.decode("utf-8", "replace")

    def stop(self):
        subprocess.run([TMUX, "-L", self.socket, "kill-server"], check=False, capture_output=True)
        with contextlib.suppress(OSError):  # tmux leaves its socket
            os.unlink(os.path.join(os.environ.get("TMUX_TMPDIR", "/tmp"), f"tmux-{os.getuid()}", self.socket))

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def press(self, *keys):
        """Keys by tmux's names: Enter, Left, BSpace, C-c."""
        self.tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def lines(self):
        """The lines of the window without the empty ones at its end."""
        lines = [line.rstrip() for line in self.tmux("capture-pane", "-p").split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        self.case.assertLessEqual(len(lines), self.rows, lines)
        for line in lines:
            self.case.assertLessEqual(cells(line), self.columns, line)
        return lines

    def history(self):
        """All lines from the beginning on, those that the window has wrapped in one, without the empty ones."""
        lines = self.tmux("capture-pane", "-p", "-J", "-S", "-").split("\n")
        return [line.rstrip() for line in lines if line.strip()]

    def cursor(self):
        """Column and row, from 0 on."""
        return tuple(map(int, self.tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()))

    def until(self, holds):
        """The lines when `holds` is true of them."""
        give_up = time.monotonic() + HANGS_AFTER
        while not holds(seen := self.lines()):
            if time.monotonic() > give_up:
                self.case.fail("never seen; last:\n" + "\n".join(seen))
            time.sleep(0.001)
        return seen
