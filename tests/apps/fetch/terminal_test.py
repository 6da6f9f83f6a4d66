# SPDX-License-Identifier: MIT
"""ringlet-fetch on a real terminal, tmux: what stands in the window, at several sizes, and when the size changes."""

import pathlib
import re
import shlex
import sys
import threading
import unittest
from urllib.parse import quote

import harness
from hostile_server import response

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from window import TMUX, Window, cells  # noqa: E402

TOTAL = re.compile(r"^\d+/\d+ files")
END = "END "


@unittest.skipUnless(TMUX, "tmux is not installed")
class Terminal(harness.FetchCase):
    def open_window(self, columns, rows, *arguments, before=0, environment="", then=f"printf '{END}%s' $?; exec cat"):
        """Runs it in a window where so many lines stand already."""
        run = shlex.join([harness.PROGRAM, *map(str, arguments)])
        fill = f"seq -f 'line %g' {before}; " if before else ""
        # the shell stays when Ctrl-C ends the program
        script = f"trap : INT; cd {shlex.quote(str(self.out))}; {fill}{environment}{run}; {then}"
        self.screen = Window(self, columns, rows, script)

    def until(self, holds):
        return self.screen.until(holds)

    def bars(self, lines):
        return [line for line in lines if " 50% " in line and not TOTAL.match(line)]

    def picture(self, lines):
        """The bars and the total line: they stand together, the total last, and nothing of them anywhere else."""
        self.assertRegex(lines[-1], TOTAL)
        self.assertEqual(sum(bool(TOTAL.match(line)) for line in lines), 1, lines)
        bars = self.bars(lines)
        self.assertEqual(lines[len(lines) - 1 - len(bars) : -1], bars, lines)
        return bars

    def is_picture(self, bars):
        """Whether this is a whole picture of so many bars, below other lines."""

        def holds(lines):
            if not lines or not TOTAL.match(lines[-1]) or sum("files" in line for line in lines) != 1:
                return False
            return len(self.bars(lines)) == bars == len(self.bars(lines[-1 - bars : -1]))

        return holds

    def held(self, *names):
        """URLs whose bodies stop at the half until `self.go[name]` is set."""
        self.go = {name: threading.Event() for name in names}
        urls = []
        for name in names:

            def half_then_rest(client, go=self.go[name]):
                client.send(response(b"x" * 50_000, length=100_000))
                go.wait(harness.HANGS_AFTER)
                client.send(b"x" * 50_000)
                return True

            urls.append(self.serve(f"/{name}", half_then_rest))
        return urls

    def end(self):
        """Lets all go on; the window after the end."""
        for go in self.go.values():
            go.set()
        lines = self.until(lambda lines: lines and lines[-1].startswith(END))
        self.assertEqual(lines[-1], END + "0")  # at the beginning of a line
        self.assertEqual([line for line in lines if TOTAL.match(line) or "█" in line or "░" in line], [])
        return lines

    def test_bars_and_what_ends_above_them(self):
        names = ["a.iso", "b.iso", "c.iso"]
        self.open_window(80, 24, *self.held(*names))
        lines = self.until(self.is_picture(3))
        self.assertEqual([bar.split()[0] for bar in self.picture(lines)], names)
        self.assertRegex(lines[-1], r"^0/3 files 50% 146\.5KiB/293\.0KiB ")
        self.assertEqual(len(lines), 4)

        self.go["b.iso"].set()
        lines = self.until(self.is_picture(2))
        self.assertRegex(lines[0], r"^b\.iso: 97\.7KiB in ")
        self.assertEqual([bar.split()[0] for bar in self.picture(lines)], ["a.iso", "c.iso"])
        self.assertRegex(lines[-1], r"^1/3 files 66% ")
        self.assertEqual(len(lines), 4)

        lines = self.end()
        self.assertEqual(len(lines), 5, lines)  # three files, the summary, and the end
        self.assertRegex(lines[3], "^ringlet-fetch: 3 ok, 0 failed, ")

    def test_a_small_window(self):
        self.open_window(40, 10, *self.held("a-rather-long-name-for-a-file.tar.gz", "b"))
        bars = self.picture(self.until(self.is_picture(2)))
        self.assertRegex(bars[0], r"^a-rat.*…ar\.gz  50% ")
        self.end()

    def test_more_items_than_rows(self):
        self.open_window(80, 10, "-j", 20, *self.held(*[f"f{i}" for i in range(20)]), before=30)
        lines = self.until(lambda lines: self.is_picture(8)(lines) and lines[-1].endswith("(+12)"))
        self.assertEqual(len(self.picture(lines)), 8)
        for i in range(10):
            self.go[f"f{i}"].set()
        lines = self.until(lambda lines: self.is_picture(8)(lines) and lines[-1].endswith("(+2)"))
        self.assertRegex(lines[0], r"^f\d: 97\.7KiB in ")
        self.end()
        history = self.screen.history()
        self.assertEqual(history[:30], [f"line {i + 1}" for i in range(30)])
        self.assertEqual(len(history), 30 + 20 + 2, history)  # nothing of any bar
        self.assertEqual(sorted(line.split(":")[0] for line in history[30:50]), sorted(self.go))

    def test_twenty_at_once(self):
        self.open_window(80, 24, "-j", 20, *self.held(*[f"f{i}" for i in range(25)]))
        lines = self.until(self.is_picture(20))
        self.assertEqual(len(lines), 21)
        self.assertTrue(lines[-1].startswith("0/25 files 976.6KiB "), lines[-1])  # how much in all, nobody knows yet
        self.go["f3"].set()
        lines = self.until(lambda lines: self.is_picture(20)(lines) and "f20" in lines[-2])
        self.assertEqual(len(lines), 22)
        self.end()

    def test_wide_names(self):
        names = ["世界" * 20 + ".iso", "x" + "世界" * 20 + ".iso", "日本語.txt"]
        self.open_window(80, 24, *self.held(*map(quote, names)), before=40)
        bars = self.picture(self.until(self.is_picture(3)))
        columns = {cells(bar[: bar.index("█")]) for bar in bars}
        self.assertEqual(len(columns), 1, bars)  # the bars stand below each other
        self.screen.resize(40, 10)
        self.picture(self.until(self.is_picture(3)))
        self.screen.resize(33, 24)
        self.picture(self.until(self.is_picture(3)))
        self.end()

    def test_a_window_that_changes_its_size(self):
        self.open_window(80, 24, *self.held("a.iso", "b.iso", "c.iso"), before=40)
        self.picture(self.until(self.is_picture(3)))
        for columns, rows in ((40, 10), (80, 24), (120, 40), (60, 24), (25, 12), (80, 24), (40, 24), (80, 10), (80, 24)):
            with self.subTest(columns=columns, rows=rows):
                self.screen.resize(columns, rows)
                # the terminal has its new size before the program knows, and cuts off what is drawn meanwhile
                fits = lambda lines: self.is_picture(3)(lines) and max(map(cells, lines[-4:])) < columns
                lines = self.until(fits)
                self.assertEqual(len(self.picture(lines)), 3)
                for line in lines[:-4]:
                    self.assertRegex(line, "^line ")
        lines = self.end()
        self.assertRegex(lines[-2], "^ringlet-fetch: 3 ok, 0 failed, ")

    def test_a_window_that_becomes_smaller_than_the_bars(self):
        self.open_window(80, 24, "-j", 20, *self.held(*[f"f{i}" for i in range(20)]), before=40)
        self.picture(self.until(self.is_picture(20)))
        self.screen.resize(80, 10)
        lines = self.until(lambda lines: self.is_picture(8)(lines) and lines[-1].endswith("(+12)"))
        self.picture(lines)
        for line in lines[:-9]:
            self.assertRegex(line, "^line ")
        self.end()

    def test_typed_at_it(self):
        self.open_window(80, 24, *self.held("a.iso", "b.iso"))
        self.picture(self.until(self.is_picture(2)))
        self.screen.type("hello?")
        self.picture(self.until(lambda lines: self.is_picture(2)(lines) and "hello" not in "".join(lines)))
        self.end()

    def test_interrupted(self):
        self.open_window(80, 24, *self.held("a.iso", "b.iso"), then="exec cat")
        self.picture(self.until(self.is_picture(2)))
        self.screen.press("C-c")
        lines = self.until(lambda lines: any("interrupted: " in line for line in lines))
        self.assertIn("ringlet-fetch: stopping; press Ctrl-C again to leave at once", lines)
        self.assertIn("ringlet-fetch: not saved:", lines)
        self.assertEqual(sum(line.startswith("  unfinished  http://") for line in lines), 2, lines)
        self.assertEqual([line for line in lines if TOTAL.match(line) or "█" in line], [])

    def test_stopped_and_continued(self):
        then = f"echo stopped; read x; fg >/dev/null; printf '{END}%s' $?; exec cat"
        self.open_window(80, 24, *self.held("a.iso", "b.iso"), before=40, environment="set -m; ", then=then)
        self.picture(self.until(self.is_picture(2)))
        self.screen.press("C-z")
        lines = self.until(lambda lines: lines and lines[-1] == "stopped")
        self.assertEqual(self.bars(lines), [])
        self.screen.press("Enter")
        self.picture(self.until(self.is_picture(2)))
        self.end()

    def test_a_terminal_that_can_do_nothing(self):
        urls = self.held("a.iso")
        self.open_window(80, 24, *urls, environment="TERM=dumb ")
        self.go["a.iso"].set()
        lines = self.until(lambda lines: lines and lines[-1].startswith(END))
        self.assertEqual(len(lines), 3, lines)
        self.assertRegex(lines[0], "^a.iso: 97.7KiB in ")


harness.main()
