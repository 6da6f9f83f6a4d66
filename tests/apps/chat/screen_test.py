# SPDX-License-Identifier: MIT
"""ringlet-chat on a real terminal, tmux: what stands in the window while one types and messages arrive."""

import os
import pathlib
import re
import shlex
import signal
import sys
import unittest

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
from window import TMUX, Window, cells  # noqa: E402

OUTSIDE = "127.0.0.1"
# What the shell says when the chat has ended: its status, and whether the terminal is as it was.
END = """printf 'END %s ' $?; [ "$modes" = "$(stty -g)" ] && echo same || echo changed; exec cat"""


@unittest.skipUnless(TMUX, "tmux is not installed")
class Screen(harness.ChatCase):
    def start(self, *arguments, columns=80, rows=24, before="", then=END):
        """A chat in a window; the shell stays when Ctrl-C ends the program."""
        run = shlex.join([harness.PROGRAM, *map(str, arguments)])
        self.window = Window(self, columns, rows, f"trap : INT QUIT; modes=$(stty -g); {before}{run}; {then}")
        self.window.until(lambda lines: any("/help" in line for line in lines))
        first = "".join(self.window.lines())
        self.port = int(re.search(r" (?:from|at) port (\d+)", first)[1])

    def talk(self, *arguments, **how):
        """A chat with a plain peer, each of which has heard the other."""
        self.peer = self.plain_peer()
        self.start(*arguments, OUTSIDE, self.peer.getsockname()[1], **how)
        self.prompt = "Ada> " if "Ada" in arguments else "> "
        self.head = len(self.window.lines()) - 1

    def plain_peer(self):
        return super().peer()

    def say(self, text, peer=None):
        peer = peer or self.peer
        peer.sendto(text.encode() if isinstance(text, str) else text, (OUTSIDE, self.port))
        return f"{self.name_of(peer)}: "

    def shows(self, *expected):
        """Waits until these lines and nothing else stand below what was said at the beginning."""
        return self.window.until(lambda lines: lines[self.head :] == [line.rstrip() for line in expected])

    def at(self, column):
        self.window.until(lambda _: self.window.cursor()[0] == column)

    def ended(self, status):
        """The window after the end: nothing of the input line is left, and the terminal is as it was."""
        lines = self.window.until(lambda lines: lines[-1].startswith("END ") and len(lines[-1].split()) == 3)
        self.assertEqual(lines[-1], f"END {status} same")
        self.assertEqual([line for line in lines if "half-typed" in line], [])
        return lines

    def test_a_line_stays_whole_while_messages_arrive(self):
        self.talk()
        self.window.type("half of ")
        self.shows("> half of")
        name = self.say("interrupting")
        self.shows(name + "interrupting", "> half of")
        self.window.type("a line")
        self.say("again")
        self.shows(name + "interrupting", name + "again", "> half of a line")
        self.at(len("> half of a line"))
        self.window.press("Enter")
        self.assertEqual(self.peer.recv(100), b"half of a line")
        self.shows(name + "interrupting", name + "again", "> half of a line", ">")

    def test_what_is_refused_stands_above_the_line_too(self):
        port = harness.free_port()
        self.start(OUTSIDE, port)
        self.head = len(self.window.lines()) - 1
        self.window.type("nobody hears this")
        self.window.press("Enter")
        self.window.type("next")
        self.shows("> nobody hears this", f"connection refused: nobody listens at {OUTSIDE}:{port} yet", "> next")

    def test_wide_and_combining_characters(self):
        self.talk()
        self.window.type("日本語")
        self.at(2 + 6)
        self.window.press("Left", "BSpace")  # 本
        self.shows("> 日語")
        self.at(2 + 2)
        self.window.press("Home")
        self.window.type("e\u0301a\u0308\u0304x")
        self.shows("> e\u0301a\u0308\u0304x日語")
        self.at(2 + 3)
        self.window.press("Left", "Left")
        self.at(2 + 1)
        name = self.say("日本")
        self.shows(name + "日本", "> e\u0301a\u0308\u0304x日語")
        self.at(2 + 1)
        self.window.press("DC")  # a and both its marks
        self.window.press("End")
        self.window.type("👩\u200d🚀👍🏽")
        self.window.press("BSpace", "Enter")
        self.assertEqual(self.peer.recv(100).decode(), "e\u0301x日語👩\u200d🚀")
        self.window.type("👩\u200d🚀")
        self.window.press("BSpace")
        self.at(2)

    def test_keys(self):
        self.talk()
        steps = [
            (["one two three", "C-w"], "one two "),
            (["three", "C-a", "0 "], "0 one two three"),
            (["C-u"], "one two three"),
            (["C-e", " four", "Home", "DC", "Right", "Delete"], "nwo two three four"[:1] + " two three four"),
            (["C-a", "Right", "C-k"], "n"),
            (["C-y"], "n two three four"),
            (["C-Left", "C-Left", "C-k"], "n two "),
            (["M-b", "X", "End", "Y"], "n Xtwo Y"),
            (["C-b", "C-b", "C-h", "C-d"], "n XtwY"),
        ]
        names = {"DC", "Right", "Left", "Home", "End", "BSpace", "C-Left", "M-b", "Delete"}
        for keys, expected in steps:
            with self.subTest(keys):
                for key in keys:
                    if key == "Delete":
                        self.window.press("DC")
                    elif key in names or re.fullmatch("C-.", key):
                        self.window.press(key)
                    else:
                        self.window.type(key)
                self.shows(("> " + expected).rstrip())

    def test_keys_that_mean_nothing_type_nothing(self):
        self.talk()
        self.window.press("F1", "F5", "C-Right", "PPage", "IC", "M-x", "C-v", "C-r", "C-q", "C-x", "C-t", "C-o", "S-Up", "C-g", "BTab")
        self.window.type("x")
        self.shows("> x")

    def test_history(self):
        self.talk()
        for line in ["first", "日本"]:
            self.window.type(line)
            self.window.press("Enter")
            self.assertEqual(self.peer.recv(100).decode(), line)
        self.window.type("unfinished")
        self.window.press("Up", "Up")
        self.shows("> first", "> 日本", "> first")
        self.window.press("Down", "Down")
        self.shows("> first", "> 日本", "> unfinished")
        self.window.press("Up", "Up", "Enter", "Up")
        self.shows("> first", "> 日本", "> first", "> first")

    def test_several_lines_are_pasted(self):
        self.talk()
        self.window.tmux("set-buffer", "one\nzwei 日本\n\nthree, and ")
        self.window.tmux("paste-buffer")
        self.assertEqual([self.peer.recv(100).decode() for _ in range(2)], ["one", "zwei 日本"])
        self.shows("> one", "> zwei 日本", "> three, and")

    def test_a_line_longer_than_the_window_scrolls(self):
        self.talk(columns=40)
        line = "".join(f"{number:02d}." for number in range(30))
        self.window.type(line)
        self.shows("> <" + line[-35:])  # 40 cells but the last; the prompt and the mark take three, a mark on the right one
        name = self.say("above")
        self.shows(name + "above", "> <" + line[-35:])
        self.window.press("Home")
        self.shows(name + "above", "> " + line[:35] + ">")
        self.at(2)
        self.window.press("End", *["BSpace"] * 60)
        self.shows(name + "above", "> " + line[:30])
        self.window.press("C-u")
        self.window.type("日本" * 20)
        self.shows(name + "above", "> <" + ("日本" * 20)[-17:])

    def test_a_window_that_changes_its_size(self):
        self.talk("-n", "Ada")
        text = "half-typed 日本語 " + "0123456789" * 6
        said = [self.say(f"line {number}") + f"line {number}" for number in range(30)]
        self.window.type(text)
        self.window.until(lambda lines: lines[-1].endswith("789") and lines[-2] == said[-1])
        for columns, rows in ((40, 12), (80, 24), (23, 30), (22, 30), (21, 30), (37, 24), (120, 10), (40, 24), (80, 24)):
            with self.subTest(columns=columns, rows=rows):
                self.window.resize(columns, rows)
                room = columns - 1 - len("Ada> ")
                row = text if cells(text) <= room else "<" + text[-1:]
                while row != text and cells(row) + cells(text[-len(row)]) <= room - 1:
                    row = "<" + text[-len(row) :]

                # The line in one row, what was said above it, and nothing of the line anywhere else.
                def is_whole(lines):
                    above = "".join(lines[:-1])
                    return lines[-1] == "Ada> " + row and above.endswith("".join(said[-3:])) and "Ada>" not in above and "6789" not in above

                self.window.until(is_whole)  # tmux tells the program up to 250 ms later than it changes the size
                said.append(self.say(f"{columns}") + f"{columns}")
                self.window.until(is_whole)
        self.window.press("Enter")
        self.assertEqual(self.peer.recv(200).decode(), "Ada: " + text)

    def test_a_burst_from_three_peers_while_a_line_is_typed(self):
        self.talk()
        self.window.type("half-typed")
        self.shows("> half-typed")
        peers = [self.plain_peer() for _ in range(3)]
        sent = []
        for number in range(1000):
            sent.append(self.say(f"message {number} 日本", peers[number % 3]) + f"message {number} 日本")
        self.window.until(lambda lines: sent[-1] in lines and lines[-1] == "> half-typed")
        self.assertEqual(self.window.history()[self.head :], [*sent, "> half-typed"])

    def test_what_comes_cannot_reach_the_terminal(self):
        self.talk()
        self.window.type("half-typed")
        for text in [b"\x1b[2J\x1b[H", b"\x1b]0;title\x07", b"a\rb", b"\x9b31m", "\u202eabc".encode(), b"\xff\xfe", b"up\x1b[A"]:
            self.say(text)
        name = self.say("the last")
        shown = ["\\x1b[2J\\x1b[H", "\\x1b]0;title\\x07", "a\\x0db", "\\x9b31m", "abc", "\ufffd\ufffd", "up\\x1b[A", "the last"]
        self.shows(*[name + text for text in shown], "> half-typed")

    def test_what_is_pasted_cannot_either(self):
        self.talk()
        self.window.tmux("set-buffer", "a\x1b[2Jb\x1b]0;t\x07c\u009bd\u202ee\u200b")
        self.window.tmux("paste-buffer")
        self.window.press("Enter")
        self.assertEqual(self.peer.recv(100).decode(), "ab0;tcd\u202ee\u200b")
        self.window.until(lambda lines: lines[-1] == ">" and lines[-2].startswith("> ab0;tcde"))

    def test_commands(self):
        self.talk("-n", "Ada")
        for line in ["/who", "/nick Grace", "hi", "//slash", "/nonsense"]:
            self.window.type(line)
            self.window.press("Enter")
        self.assertEqual([self.peer.recv(100).decode() for _ in range(2)], ["Grace: hi", "Grace: /slash"])
        self.shows("Ada> /who", f"Talking to {self.name_of(self.peer)} (0 messages).", "Ada> /nick Grace", "The nick is Grace.",
                   "Grace> hi", "Grace> //slash", "Grace> /nonsense",
                   "Not sent: no such command: /nonsense (/help names them; // sends a slash)", "Grace>")
        self.window.type("/quit")
        self.window.press("Enter")
        self.ended(1)  # a line was not sent

    def test_clear_screen(self):
        self.talk()
        self.say("before")
        self.window.type("half-typed")
        self.window.until(lambda lines: lines[-1] == "> half-typed" and "before" in lines[-2])
        self.window.press("C-l")
        self.window.until(lambda lines: lines == ["> half-typed"])

    def test_stopped_and_continued(self):
        self.talk(before="set -m; ", then=f"echo stopped; stty -a | grep -o -- '-*icanon'; read x; fg >/dev/null; {END}")
        self.window.type("half-typed")
        self.shows("> half-typed")
        self.window.press("C-z")
        lines = self.window.until(lambda lines: lines[-1] == "icanon")
        self.assertEqual([line for line in lines if "half-typed" in line], [])
        name = self.say("while it was stopped")
        self.window.press("Enter")
        self.window.until(lambda lines: lines[-1] == "> half-typed" and lines[-2] == name + "while it was stopped")
        self.window.type(", and whole")
        self.window.press("C-a", "C-k", "C-d")
        self.ended(0)

    def test_started_in_the_background(self):
        """The shell's own mode at its prompt is not what the terminal is left in."""
        peer = self.plain_peer()
        run = shlex.join([harness.PROGRAM, OUTSIDE, str(peer.getsockname()[1])])
        stopped = "until grep -q '^State:.T' /proc/$!/status; do :; done"
        self.window = Window(self, 80, 24, f"set -m; modes=$(stty -g); stty -echo; {run} & {stopped}; stty echo; fg >/dev/null; {END}")
        self.window.until(lambda lines: lines and lines[-1] == ">")
        self.window.type("hello")
        self.window.press("Enter")
        self.assertEqual(peer.recv(100), b"hello")
        self.window.press("C-d")
        self.ended(0)

    def test_continued_without_a_stop(self):
        self.talk()
        self.window.type("half-typed")
        self.shows("> half-typed")
        expected = []
        for number in range(20):
            os.kill(self.program(), signal.SIGCONT)
            expected.append(self.say(f"{number}") + f"{number}")
        self.shows(*expected, "> half-typed")

    def program(self):
        shell = self.window.tmux("display-message", "-p", "#{pane_pid}").strip()
        return int(pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    def end_by(self, status, *keys, number=None):
        self.talk()
        self.window.type("half-typed")
        self.shows("> half-typed")
        if keys:
            self.window.press(*keys)
        else:
            os.kill(self.program(), number)
        self.ended(status)

    def test_ctrl_c(self):
        self.end_by(130, "C-c")

    def test_ctrl_d(self):
        self.end_by(0, "C-u", "C-d")

    def test_ctrl_backslash(self):
        self.end_by(131, "C-\\")

    def test_hang_up(self):
        self.end_by(129, number=1)

    def test_terminated(self):
        self.end_by(143, number=15)

    def test_aborted(self):
        self.end_by(134, number=6)

    def test_crashed(self):
        if b"__asan_init" in pathlib.Path(harness.PROGRAM).read_bytes():
            self.skipTest("the sanitizer ends it, with a status of its own")
        self.end_by(139, number=11)

    def test_lines_from_before_there_is_a_peer(self):
        self.start("--port", 0)
        self.head = len(self.window.lines()) - 1
        self.window.type("anybody?")
        self.window.press("Enter")
        self.shows("> anybody?", ">")
        peer = self.plain_peer()
        name = self.say("yes", peer)
        self.assertEqual(peer.recv(100), b"anybody?")
        self.shows("> anybody?", f"Talking to {self.name_of(peer)}, who wrote first.", name + "yes", ">")

    def test_leaving_before_there_is_a_peer(self):
        self.start("--port", 0)
        self.window.type("anybody?")
        self.window.press("Enter", "C-d")
        self.assertIn("1 line was not sent: nobody has written.", self.ended(1))

    def test_two_chats(self):
        self.talk()
        self.window.type("half-typed")
        other = self.chat("-n", "Grace", OUTSIDE, self.port)
        other.say("hé, 日本!")
        self.shows(f"{OUTSIDE}:{other.port}: Grace: hé, 日本!", "> half-typed")

    def test_a_terminal_that_can_do_nothing(self):
        peer = self.plain_peer()
        script = shlex.join([harness.PROGRAM, OUTSIDE, str(peer.getsockname()[1])])
        self.window = Window(self, 80, 24, f"TERM=dumb {script}; printf 'END %s' $?; exec cat")
        lines = self.window.until(lambda lines: bool(lines))
        self.port = int(re.search(r"port (\d+)", lines[0])[1])
        self.window.type("plain")
        self.window.press("Enter")
        self.assertEqual(peer.recv(100), b"plain")
        name = self.say("plain, too", peer)
        self.window.until(lambda lines: lines[1:] == ["plain", name + "plain, too"])
        self.window.press("C-d")
        self.window.until(lambda lines: lines[-1] == "END 0")

    def test_the_menu(self):
        peer = self.plain_peer()
        run = shlex.join([harness.PROGRAM, "--menu", "-p", "0"])
        self.window = Window(self, 60, 30, f"{run}; printf 'END %s' $?; exec cat")
        lines = self.window.until(lambda lines: lines and lines[-1] == "Choice:")
        self.port = int(re.search(r"port (\d+)", lines[0])[1])
        for question, answer in [("Choice:", "1"), ("Address:", OUTSIDE), ("Port:", str(peer.getsockname()[1])), ("Message:", "Grüße")]:
            self.window.until(lambda lines, question=question: lines[-1] == question)
            self.window.type(answer)
            self.window.press("Enter")
        self.assertEqual(peer.recv(100).decode(), "Grüße")
        name = self.say("an answer", peer)
        self.window.until(lambda lines: lines[-1] == "Choice:")
        self.window.type("2")
        self.window.press("Enter")
        self.window.until(lambda lines: name + "an answer" in lines and lines[-1] == "Choice:")
        self.window.type("3")
        self.window.press("Enter")
        self.window.until(lambda lines: lines[-1] == "END 0")


if __name__ == "__main__":
    harness.main()
