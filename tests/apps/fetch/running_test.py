# SPDX-License-Identifier: MIT
"""ringlet-fetch: what it does while it runs: how many at once, how it is stopped, what it shows."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading

import harness
from harness import INTERRUPTED, OK, STATUS
from hostile_server import response


class Running(harness.FetchCase):
    # --- how many at once ---

    def at_once(self, files, *options):
        """The number of requests that the server had before it answered any, and the most it ever had."""
        expected = min(files, int(options[1]) if options else 8)
        state = threading.Condition()
        running, most = 0, 0

        def gate(client):
            nonlocal running, most
            with state:
                running += 1
                most = max(most, running)
                state.notify_all()
                # nobody is answered before as many have come as may; who does not send so many, hangs
                state.wait_for(lambda: most >= expected, timeout=harness.HANGS_AFTER)
                running -= 1  # before the client can know that this one is over
            client.send(response(b"x" * 1000))
            return True

        urls = [self.serve(f"/{i}", gate) for i in range(files)]
        self.check(self.fetch(*options, *urls), OK, {str(i): b"x" * 1000 for i in range(files)})
        self.assertEqual(most, expected)
        for name in self.files():
            (self.out / name).unlink()

    def test_exactly_eight_at_once(self):
        self.at_once(40)

    def test_exactly_so_many_at_once(self):
        self.at_once(10, "-j", 1)
        self.at_once(30, "-j", 3)
        self.at_once(64, "-j", 64)

    def test_fewer_urls_than_jobs(self):
        self.at_once(3)

    # --- being stopped ---

    def stopped_by(self, number):
        half_way = threading.Event()

        def hold(client):
            client.send(response(b"x" * 300_000, length=600_000))
            half_way.set()
            client.until_gone()

        urls = [self.serve("/done", response(b"done")), self.serve("/held", hold), self.serve("/silent", lambda c: c.until_gone())]
        process = self.start("-j", 2, *urls)
        self.assertTrue(half_way.wait(harness.HANGS_AFTER))
        harness.wait_until(lambda: (self.out / "done").exists() and (self.out / "held.part").exists())
        process.send_signal(number)
        result = self.ended(process)
        self.check(result, 128 + number, {"done": b"done"}, ["stopping; press Ctrl-C again", "interrupted: 1 ok, 0 failed, 2 not finished"])

    def test_ctrl_c(self):
        self.stopped_by(signal.SIGINT)

    def test_sigterm(self):
        self.stopped_by(signal.SIGTERM)

    def test_ctrl_c_before_any_answer(self):
        asked = threading.Event()

        def silent(client):
            asked.set()
            client.until_gone()

        process = self.start("-q", *[self.serve(f"/{i}", silent) for i in range(20)])
        self.assertTrue(asked.wait(harness.HANGS_AFTER))
        process.send_signal(signal.SIGINT)
        result = self.ended(process)
        self.check(result, INTERRUPTED, {})
        self.assertEqual(result.err, "")

    # --- a reader of its messages that stalls ---

    def start_stalled(self, *arguments):
        """Starts it with a standard error that takes a page and no more, until it is read."""

        def prepare():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            fcntl.fcntl(2, fcntl.F_SETPIPE_SZ, 4096)

        return self.start(*arguments, preexec_fn=prepare)

    def redirected(self, count):
        """URLs that make it say a lot."""
        for i in range(count):
            self.serve(f"/{i}", response(b"x"))
            self.serve(f"/{'from' * 20}{i}", response(b"", "301 Moved", Location=f"/{i}"))
        return [self.server.url(f"/{'from' * 20}{i}") for i in range(count)]

    def complete(self):
        """How many files have their names."""
        return sum(not name.endswith(".part") for name in os.listdir(self.out))

    def test_a_reader_that_stalls_holds_up_no_download(self):
        urls = self.redirected(300)
        process = self.start_stalled("-v", *urls)
        harness.wait_until(lambda: self.complete() == len(urls))
        result = self.ended(process)
        self.assertEqual(result.status, OK)
        self.assertEqual(result.err.count(": redirected (301) to "), len(urls))
        self.assertIn(f"ringlet-fetch: {len(urls)} ok, 0 failed, ", result.err.splitlines()[-1])

    def interrupt_stalled(self):
        """Interrupts it while nobody reads; what was under way must be gone all the same."""
        held = threading.Event()

        def hold(client):
            client.send(response(b"x" * 300_000, length=600_000))
            held.set()
            client.until_gone()

        urls = [self.serve("/held", hold), *self.redirected(300)]
        process = self.start_stalled("-v", *urls)
        self.assertTrue(held.wait(harness.HANGS_AFTER))
        part = self.out / "held.part"
        harness.wait_until(lambda: self.complete() == len(urls) - 1 and part.exists())
        process.send_signal(signal.SIGINT)
        harness.wait_until(lambda: not part.exists())
        return process

    def test_ctrl_c_while_a_reader_stalls(self):
        result = self.ended(self.interrupt_stalled())
        self.check(result, INTERRUPTED, says=["stopping; press Ctrl-C again", " ok, 0 failed, "])

    def test_a_second_ctrl_c_leaves_a_reader_that_stalls(self):
        process = self.interrupt_stalled()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=harness.HANGS_AFTER), -signal.SIGINT)
        process.communicate()

    # --- what is shown ---

    def test_off_a_terminal_a_line_for_each_that_ends(self):
        urls = [self.serve("/a", response(b"x" * 2048)), self.server.url("/missing"), self.serve("/b", response(b""))]
        result = self.fetch("-j", 1, *urls)
        self.check(result, STATUS, {"a": b"x" * 2048, "b": b""})
        lines = result.err.splitlines()
        self.assertEqual(len(lines), 6, lines)
        self.assertRegex(lines[0], r"^a: 2\.0KiB in \d+(ms|s), .*/s$")
        self.assertEqual(lines[1], f"ringlet-fetch: {urls[1]}: the server answered 404 Not Found")
        self.assertRegex(lines[2], r"^b: 0B in ")
        self.assertEqual(lines[3:5], ["ringlet-fetch: not saved:", f"  failed      {urls[1]}  the server answered 404 Not Found"])
        self.assertRegex(lines[5], r"^ringlet-fetch: 2 ok, 1 failed, 2\.0KiB in ")
        self.assertNotIn("\r", result.err)
        self.assertEqual(result.out, b"")

    def test_quiet(self):
        good, missing = self.serve("/a", response(b"x")), self.server.url("/missing")
        self.assertEqual(self.fetch("-q", good).err, "")
        result = self.fetch("-q", good, missing)
        self.assertEqual(result.err, f"ringlet-fetch: {missing}: the server answered 404 Not Found\n")

    def test_verbose_tells_of_redirects(self):
        self.serve("/b", response(b"x"))
        url = self.serve("/a", response(b"", "301 Moved", Location="/b"))
        self.check(self.fetch("-v", url), OK, says=f"{url}: redirected (301) to {self.server.url('/b')}")

    def on_a_terminal(self, columns, rows, *arguments):
        """Runs it on a terminal; the bytes that came there."""
        terminal, its_end = pty.openpty()
        self.name_of_terminal = os.ttyname(its_end)
        fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        process = self.start(*arguments, stderr=its_end, stdout=subprocess.PIPE, env=environment)
        self.process = process
        os.close(its_end)
        shown = b""
        while select.select([terminal], [], [], harness.HANGS_AFTER)[0]:
            try:
                got = os.read(terminal, 65536)
            except OSError:  # the program has ended
                break
            shown += got
            self.terminal_shows(shown)
        os.close(terminal)
        result = self.ended(process)
        return result.status, shown.decode("utf-8", "replace")

    def terminal_shows(self, shown):
        pass

    def test_bars_on_a_terminal(self):
        seen = threading.Event()

        def half_then_rest(client):
            client.send(response(b"x" * 50_000, length=100_000))
            seen.wait(harness.HANGS_AFTER)
            client.send(b"x" * 50_000)
            return True

        self.terminal_shows = lambda shown: seen.set() if b" 50% " in shown else None
        urls = [self.serve(f"/file{i}", half_then_rest) for i in range(3)] + [self.server.url("/missing")]
        status, shown = self.on_a_terminal(100, 24, *urls)
        self.assertEqual(status, STATUS)
        self.assertIn("█", shown)
        self.assertRegex(shown, r"file0: 97\.7KiB in ")
        self.assertIn("the server answered 404 Not Found", shown)
        self.assertRegex(shown, r"ringlet-fetch: 3 ok, 1 failed, 293\.0KiB in [^\n]*\r\n$")
        self.assertEqual(set(re.findall(r"\x1b\[\d*([A-Za-z])", shown)), {"A", "K", "J"})

    def test_bars_show_files_and_no_directory(self):
        seen = threading.Event()

        def half_then_rest(client):
            client.send(response(b"x" * 50, length=100))
            seen.wait(harness.HANGS_AFTER)
            client.send(b"x" * 50)
            return True

        self.terminal_shows = lambda shown: seen.set() if b" 50% " in shown else None
        folder = self.out / ("a-long-name-of-a-directory" * 3)
        status, shown = self.on_a_terminal(100, 24, "-P", folder, self.serve("/file.iso", half_then_rest))
        self.assertEqual(status, OK)
        bars = [line for line in re.split(r"[\r\n]+", shown) if " 50% " in line and "█" in line]
        self.assertTrue(bars)
        for line in bars:
            self.assertRegex(re.sub(r"\x1b\[\??\d*[A-Za-z]", "", line), "^file.iso ")
        self.assertIn(f"{folder}/file.iso: 100B in ", shown)

    def test_after_fg_nothing_is_drawn_over(self):
        seen, stopped = threading.Event(), threading.Event()
        said = b"[1]+  Stopped\r\n$ fg\r\n"

        def half_then_rest(client):
            client.send(response(b"x" * 50_000, length=100_000))
            seen.wait(harness.HANGS_AFTER)
            client.send(b"x" * 50_000)
            return True

        def stop_once(shown):
            if not stopped.is_set() and shown.count(b" 50% ") >= 4:
                stopped.set()
                self.process.send_signal(signal.SIGSTOP)
                os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
                shell = os.open(self.name_of_terminal, os.O_WRONLY | os.O_NOCTTY)
                os.write(shell, b"\n" + said.replace(b"\r", b""))
                os.close(shell)
                self.process.send_signal(signal.SIGCONT)
            elif shown.partition(said)[2].count(b" files ") >= 2:
                seen.set()

        self.terminal_shows = stop_once
        status, shown = self.on_a_terminal(100, 24, *[self.serve(f"/file{i}", half_then_rest) for i in range(3)])
        self.assertEqual(status, OK)
        after = shown.partition(said.decode())[2]
        up = re.search(r"\x1b\[\d*A", after).start()
        self.assertIn("/3 files ", after[:up])  # first a whole picture, and only then the cursor goes up to draw over it

    def test_more_bars_than_rows(self):
        seen = threading.Event()

        def wait(client):
            client.send(response(b"x", length=2))
            seen.wait(harness.HANGS_AFTER)
            client.send(b"x")
            return True

        self.terminal_shows = lambda shown: seen.set() if b"(+12)" in shown else None
        status, shown = self.on_a_terminal(60, 10, "-j", 20, *[self.serve(f"/{i}", wait) for i in range(20)])
        self.assertEqual(status, OK)
        self.assertIn("(+12)", shown)  # 8 of 20 are shown: two less than there are rows

    def test_quiet_on_a_terminal(self):
        self.assertEqual(self.on_a_terminal(80, 24, "-q", self.serve("/a", response(b"x"))), (OK, ""))

    def test_standard_output_is_no_terminal(self):
        terminal, its_end = pty.openpty()
        result = self.fetch("-o", "-", self.serve("/x", response(b"x")), stdout=its_end)
        os.close(its_end)
        os.close(terminal)
        self.check(result, harness.USAGE, {}, "does not write to a terminal")


harness.main()
