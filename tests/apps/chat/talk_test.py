# SPDX-License-Identifier: MIT
"""Two sides talk: both may start first, be gone, come back, or be no ringlet-chat at all."""

import os
import re
import selectors
import shutil
import signal
import subprocess
import sys

import harness

OUTSIDE = "127.0.0.1"


class TwoChats(harness.ChatCase):
    def test_lines_go_both_ways(self):
        one = self.chat("--port", "0")
        two = self.chat(OUTSIDE, one.port)
        two.say("Hello, ça va? ☕")
        one.out.until(f"{OUTSIDE}:{two.port}: Hello, ça va? ☕\n".encode())
        one.say("Très bien")
        two.out.until(f"{OUTSIDE}:{one.port}: Très bien\n".encode())
        self.assertIn(f"Talking to {OUTSIDE}:{two.port}, who wrote first.\n".encode(), one.err.until(b"first.\n"))
        self.assertEqual(two.end_input(), 0)
        one.say("nobody there any more")
        one.err.until(f"connection refused: nobody listens at {OUTSIDE}:{two.port} yet\n".encode())
        self.assertEqual(one.end_input(), 0)

    def test_a_message_that_comes_as_the_input_ends_is_shown(self):
        peer = self.peer()
        for number in range(20):
            one = self.chat("--port", "0", OUTSIDE, str(peer.getsockname()[1]))
            one.process.send_signal(signal.SIGSTOP)  # both at once
            if number % 2 == 0:
                peer.sendto(b"last words", (OUTSIDE, one.port))
            one.process.stdin.close()
            if number % 2 == 1:
                peer.sendto(b"last words", (OUTSIDE, one.port))
            one.process.send_signal(signal.SIGCONT)
            self.assertEqual(one.status(), 0)
            one.out.until(b": last words\n")

    def test_lines_from_before_there_is_a_peer_are_kept(self):
        one = self.chat("--port", "0")
        for number in range(20):
            one.say(f"early {number}")
        two = self.chat(OUTSIDE, one.port)
        two.say("here I am")
        two.out.until(b"early 19\n")
        expected = "".join(f"{OUTSIDE}:{one.port}: early {number}\n" for number in range(20))
        self.assertEqual(two.out.bytes.decode(), expected)

    def test_so_many_lines_are_kept_and_the_rest_is_not_read(self):
        one = self.chat("--port", "0")
        lines = [b"%02d" % number + b"x" * 1000 for number in range(70)]
        for line in lines:
            one.say(line)
        one.err.until(b"66 lines wait for somebody to send them to; more is read when they have gone.\n")
        one.process.stdin.close()
        peer = self.peer()
        peer.sendto(b"go on", (OUTSIDE, one.port))
        self.assertEqual([peer.recv(2000) for _ in lines], lines)
        self.assertEqual(one.status(), 0)

    def test_an_endless_input_does_not_fill_the_memory(self):
        one = self.chat("--port", "0")
        stdin = one.process.stdin.fileno()
        os.set_blocking(stdin, False)
        taken = 0
        with selectors.DefaultSelector() as writable:
            writable.register(stdin, selectors.EVENT_WRITE)
            while taken < 32 << 20 and b"more is read when" not in one.err.bytes:
                if writable.select(0.01):
                    taken += os.write(stdin, b"spam\n" * 800)
                else:
                    one.err.listen()
        self.assertLess(taken, 1 << 20)
        peer = self.peer()
        peer.sendto(b"stop", (OUTSIDE, one.port))
        self.assertEqual(peer.recv(100), b"spam")

    def test_end_of_input_waits_for_somebody_to_send_to(self):
        one = self.chat("--port", "0")
        one.say("the only line")
        one.process.stdin.close()
        one.err.until(b"waiting for somebody to send the line to")
        peer = self.peer()
        peer.sendto(b"go on", (OUTSIDE, one.port))
        self.assertEqual(peer.recv(2000), b"the only line")
        self.assertEqual(one.status(), 0)
        self.assertEqual(one.out.to_end().decode(), f"{self.name_of(peer)}: go on\n")

    def test_end_of_input_with_nothing_to_send(self):
        done = harness.run("--port", "0")
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_the_last_line_needs_no_line_end(self):
        peer = self.peer()
        done = harness.run(OUTSIDE, peer.getsockname()[1], input_bytes=b"one\ntwo")
        self.assertEqual(done.returncode, 0)
        self.assertEqual([peer.recv(100), peer.recv(100)], [b"one", b"two"])

    def test_ipv6(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        one = self.chat("--port", "0")
        two = self.chat("::1", one.port)
        two.say("six")
        one.out.until(f"[::1]:{two.port}: six\n".encode())
        one.say("too")
        two.out.until(f"[::1]:{one.port}: too\n".encode())

    def test_a_waiting_chat_hears_both_families(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        one = self.chat("--port", "0")
        four, six = self.peer(), self.peer("::1")
        four.sendto(b"four", (OUTSIDE, one.port))
        one.out.until(f"{self.name_of(four)}: four\n".encode())
        six.sendto(b"six", ("::1", one.port))
        one.out.until(f"{self.name_of(six)}: six\n".encode())
        one.say("to the first")
        self.assertEqual(four.recv(100), b"to the first")


    def test_the_form_of_the_course(self):
        first, second = harness.free_port(), harness.free_port()
        one = self.chat(first, OUTSIDE, second)
        two = self.chat(second, OUTSIDE, first)
        self.assertEqual((one.port, two.port), (first, second))
        one.say("this way")
        two.out.until(f"{OUTSIDE}:{first}: this way\n".encode())
        two.say("that way")
        one.out.until(f"{OUTSIDE}:{second}: that way\n".encode())

    def test_several_peers_talk_to_one(self):
        one = self.chat("--port", "0")
        others = [self.chat("-n", f"peer {number}", OUTSIDE, one.port) for number in range(3)]
        for number, other in enumerate(others):
            other.say("hello")
            one.out.until(f"{OUTSIDE}:{other.port}: peer {number}: hello\n".encode())
        one.say("to the first")
        others[0].out.until(f"{OUTSIDE}:{one.port}: to the first\n".encode())
        one.say("/who")
        one.err.until(f"Talking to {OUTSIDE}:{others[0].port} (1 message).\nAlso heard: {OUTSIDE}:{others[2].port} (1 message)\n"
                      f"Also heard: {OUTSIDE}:{others[1].port} (1 message)\n".encode())


class Nicks(harness.ChatCase):
    def said_by(self, *arguments, text=b"text\n"):
        peer = self.peer()
        done = harness.run(*arguments, OUTSIDE, peer.getsockname()[1], input_bytes=text)
        self.assertEqual(done.returncode, 0, done.stderr)
        return peer.recv(2000).decode()

    def test_it_stands_before_the_text(self):
        self.assertEqual(self.said_by("-n", "Ada"), "Ada: text")
        self.assertEqual(self.said_by("--nick", " 日本 "), "日本: text")

    def test_it_is_short_and_printable(self):
        self.assertEqual(self.said_by("-n", "x" * 200), "x" * 10 + "…" + "x" * 9 + ": text")
        self.assertEqual(self.said_by("-n", "a\x1b[2J\nb"), "a\\x1b[2J\\x0ab: text")
        self.assertEqual(self.said_by("-n", "\u202eb"), "\\u202eb: text")
        self.assertLessEqual(len(self.said_by("-n", "a" + "\u0301" * 500).encode()), 64 + len(": text"))

    def test_a_message_has_room_for_it(self):
        peer = self.peer()
        harness.run("-n", "Ada", OUTSIDE, peer.getsockname()[1], input_bytes=b"x" * 1200 + b"\n")
        self.assertEqual([peer.recv(2000), peer.recv(2000)], [b"Ada: " + b"x" * 1195, b"Ada: xxxxx"])


class Commands(harness.ChatCase):
    def test_they_are_not_sent(self):
        peer = self.peer()
        one = self.chat(OUTSIDE, peer.getsockname()[1])
        one.say("/help")
        one.err.until(b"//...         sends a line that begins with a slash\n")
        one.say("/nick")
        one.err.until(b"No nick: lines are sent as they are.\n")
        one.say("/nick  Ada  Lovelace ")
        one.err.until(b"The nick is Ada  Lovelace.\n")
        one.say("text")
        one.say("//quit is not a command, nor is this: a/b")
        self.assertEqual([peer.recv(100), peer.recv(100)],
                         [b"Ada  Lovelace: text", b"Ada  Lovelace: /quit is not a command, nor is this: a/b"])
        one.say("/quit")
        self.assertEqual(one.status(), 0)

    def test_what_is_none_is_not_sent_either(self):
        peer = self.peer()
        done = harness.run(OUTSIDE, peer.getsockname()[1], input_bytes=b"/etc/\x1bpasswd\n/quit now\nnext\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Not sent: no such command: /etc/\\x1bpasswd (/help names them; // sends a slash)\n", done.stderr)
        self.assertIn(b"Not sent: no such command: /quit now ", done.stderr)
        self.assertEqual(peer.recv(100), b"next")

    def test_quit_leaves_what_follows(self):
        peer = self.peer()
        done = harness.run(OUTSIDE, peer.getsockname()[1], input_bytes=b"one\n/quit\ntwo\n")
        self.assertEqual((done.returncode, peer.recv(100)), (0, b"one"))
        peer.setblocking(False)
        with self.assertRaises(BlockingIOError):
            peer.recv(100)


class Refused(harness.ChatCase):
    def test_the_peer_comes_later(self):
        port = harness.free_port()
        one = self.chat(OUTSIDE, port)
        one.say("too early")
        one.err.until(f"connection refused: nobody listens at {OUTSIDE}:{port} yet\n".encode())
        late = self.peer(port=port)
        one.say("in time")
        self.assertEqual(late.recv(100), b"in time")
        late.sendto(b"I heard", (OUTSIDE, one.port))
        one.out.until(b": I heard\n")
        self.assertEqual(one.end_input(), 0)

    def test_every_refused_message_is_counted(self):
        port = harness.free_port()
        done = harness.run(OUTSIDE, port, input_bytes=b"gone\n" * 50)
        self.assertEqual(done.returncode, 0)
        said = done.stderr.decode()
        self.assertEqual(said.count(f"connection refused: nobody listens at {OUTSIDE}:{port} yet\n"), 1)
        self.assertIn("(49 more messages)\n", said)

    def test_the_last_message_too(self):
        port = harness.free_port()
        done = harness.run(OUTSIDE, port, input_bytes=b"gone\n")
        self.assertIn("connection refused: ", done.stderr.decode())
        self.assertEqual(done.returncode, 0)

    def test_what_cannot_be_sent_at_all(self):
        done = harness.run("255.255.255.255", 5, input_bytes=b"to everybody\n")  # not allowed, or no network
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"Not sent to 255\.255\.255\.255:5: \w+")

    def test_ipv6(self):
        if not harness.has_ipv6():
            self.skipTest("this machine has no IPv6")
        done = harness.run("::1", harness.free_port(), input_bytes=b"gone\n")
        self.assertIn("connection refused: nobody listens at [::1]:", done.stderr.decode())


    def test_it_is_said_when_several_are_heard(self):
        friend, others = self.peer(), [self.peer() for _ in range(3)]
        one = self.chat(OUTSIDE, friend.getsockname()[1])
        for other in others:
            other.sendto(b"hello", (OUTSIDE, one.port))
            one.out.until(f"{self.name_of(other)}: hello\n".encode())
        name = self.name_of(friend)
        friend.close()
        one.say("anybody?")
        one.err.until(f"connection refused: nobody listens at {name} yet\n".encode())
        others[1].sendto(b"still here", (OUTSIDE, one.port))
        one.out.until(f"{self.name_of(others[1])}: still here\n".encode())


class PlainPeers(harness.ChatCase):
    """The other side need not be a ringlet-chat."""

    def test_payloads_are_bare_text(self):
        peer = self.peer()
        one = self.chat(OUTSIDE, peer.getsockname()[1])
        one.say("bare text")
        self.assertEqual(peer.recv(100), b"bare text")

    def test_line_ends_of_nc_are_not_shown(self):
        one = self.chat("--port", "0")
        peer = self.peer()
        for payload in [b"with LF\n", b"with CR LF\r\n", b"two\nlines\n"]:
            peer.sendto(payload, (OUTSIDE, one.port))
        one.out.until(b": lines\n")
        name = self.name_of(peer)
        self.assertEqual(one.out.bytes.decode(), f"{name}: with LF\n{name}: with CR LF\n{name}: two\n{name}: lines\n")

    def test_the_script_of_the_course(self):
        """A thread that receives 1024 bytes and prints, and a loop that reads lines and sends."""
        one = self.chat("-n", "Ada", "--port", "0")
        port = harness.free_port()
        script = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "course_chat.py"), str(port), OUTSIDE, str(one.port)]
        with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as course:
            self.addCleanup(course.kill)
            said = harness.Hearing(course.stdout.fileno())
            course.stdin.write("Grüße aus Python\n".encode())
            course.stdin.flush()
            one.out.until(f"{OUTSIDE}:{port}: Grüße aus Python\n".encode())
            one.say("Grüße zurück")
            said.until(f"{OUTSIDE}:{one.port}: Ada: Grüße zurück\n".encode())
            course.stdin.close()

    def test_nc(self):
        nc = shutil.which("nc")
        if not nc or b"OpenBSD" not in subprocess.run([nc, "-h"], capture_output=True, check=False).stderr:
            self.skipTest("the nc of OpenBSD is not installed")
        one = self.chat("-n", "Ada", "--port", "0")
        with subprocess.Popen([nc, "-u", OUTSIDE, str(one.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:
            self.addCleanup(peer.kill)
            said = harness.Hearing(peer.stdout.fileno())
            peer.stdin.write("Grüße von nc\n".encode())
            peer.stdin.flush()
            one.out.until(": Grüße von nc\n".encode())
            one.say("Grüße an nc")
            said.until("Ada: Grüße an nc".encode())
            peer.kill()

    def test_others_are_shown_with_their_address_and_get_no_answer(self):
        friend, stranger = self.peer(), self.peer()
        one = self.chat(OUTSIDE, friend.getsockname()[1])
        stranger.sendto(b"psst", (OUTSIDE, one.port))
        one.out.until(f"{self.name_of(stranger)}: psst\n".encode())
        one.say("for my friend")
        self.assertEqual(friend.recv(100), b"for my friend")
        stranger.setblocking(False)
        with self.assertRaises(BlockingIOError):
            stranger.recv(100)

    def test_a_thousand_datagrams_in_a_burst_are_shown_whole(self):
        one = self.chat("--port", "0")
        peers = [self.peer() for _ in range(3)]
        sent = []
        for number in range(1000):
            peer = peers[number % 3]
            peer.sendto(b"message %d" % number, (OUTSIDE, one.port))
            sent.append(f"{self.name_of(peer)}: message {number}\n")
        one.out.until(b"message 999\n")
        self.assertEqual(one.out.bytes.decode(), "".join(sent))

    def test_what_came_before_the_end_of_input_is_shown(self):
        peer = self.peer()
        one = self.chat(OUTSIDE, peer.getsockname()[1])
        for number in range(200):
            peer.sendto(b"%d" % number, (OUTSIDE, one.port))
        self.assertEqual(one.end_input(), 0)
        self.assertEqual(one.out.to_end().count(b"\n"), 200)


class Limits(harness.ChatCase):
    def test_what_one_sender_sends_beyond_the_limit_is_counted(self):
        one = self.chat("--port", "0", "--limit", "10")
        flood, other = self.peer(), self.peer()
        for number in range(300):
            flood.sendto(b"%d" % number, (OUTSIDE, one.port))
        other.sendto(b"not drowned", (OUTSIDE, one.port))
        one.out.until(f"{self.name_of(other)}: not drowned\n".encode())
        self.assertEqual(one.end_input(), 0)
        shown = one.out.to_end().count(f"{self.name_of(flood)}: ".encode())
        self.assertGreaterEqual(shown, 10)
        said = re.findall(rb"(\d+) messages? w\w+ not shown: more than 10 a second from one sender \(--limit\)\n", one.err.to_end())
        self.assertEqual(sum(map(int, said)) + shown, 300)
        if shown == 10:
            self.assertEqual(len(said), 1)

    def test_no_limit(self):
        one = self.chat("--port", "0", "--limit", "0")
        peer = self.peer()
        for number in range(1100):
            peer.sendto(b"%d" % number, (OUTSIDE, one.port))
            if number % 100 == 99:
                one.out.until(b": %d\n" % number)
        self.assertEqual(one.out.bytes.count(b"\n"), 1100)

    def test_a_cut_datagram_is_shown_with_its_size(self):
        one = self.chat("--port", "0")
        peer = self.peer()
        peer.sendto(b"a" * 1200, (OUTSIDE, one.port))
        one.out.until(b"a" * 1200 + b"\n")
        peer.sendto(b"b" * 1201, (OUTSIDE, one.port))
        one.out.until(b": " + b"b" * 1200 + b" [cut: 1200 of 1201 bytes]\n")
        peer.sendto(b"c" * 1199 + "é".encode() + b"c" * 60000, (OUTSIDE, one.port))
        one.out.until(b": " + b"c" * 1199 + b" [cut: 1200 of 61201 bytes]\n")

    def test_empty_datagrams_are_nothing(self):
        one = self.chat("--port", "0")
        silent, peer = self.peer(), self.peer()
        silent.sendto(b"", (OUTSIDE, one.port))
        peer.sendto(b"first words", (OUTSIDE, one.port))
        one.out.until(b"first words\n")
        self.assertEqual(one.out.bytes.decode(), f"{self.name_of(peer)}: first words\n")
        one.err.until(f"Talking to {self.name_of(peer)}, who wrote first.\n".encode())

    def test_empty_lines_are_not_sent(self):
        peer = self.peer()
        harness.run(OUTSIDE, peer.getsockname()[1], input_bytes=b"\n\r\nsomething\n\n")
        self.assertEqual(peer.recv(100), b"something")
        peer.setblocking(False)
        with self.assertRaises(BlockingIOError):
            peer.recv(100)

    def test_a_long_line_is_sent_in_parts_between_characters(self):
        peer = self.peer()
        line = "é" * 599 + "x" + "日" * 1000
        done = harness.run(OUTSIDE, peer.getsockname()[1], input_bytes=line.encode() + b"\nnext\n")
        self.assertEqual(done.returncode, 0)
        parts = []
        while not parts or parts[-1] != "next":
            part = peer.recv(2000)
            self.assertLessEqual(len(part), 1200)
            parts.append(part.decode())  # fails where a character was cut
        self.assertEqual("".join(parts[:-1]), line)
        self.assertIn(f"A line of {len(line.encode())} bytes is sent in {len(parts) - 1} parts", done.stderr.decode())

    def test_a_line_beyond_all_measure_is_refused_and_the_next_is_sent(self):
        peer = self.peer()
        done = harness.run(OUTSIDE, peer.getsockname()[1], input_bytes=b"x" * 200_000 + b"\nnext\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("was not sent", done.stderr.decode())
        self.assertEqual(peer.recv(2000), b"next")

    def test_invalid_utf8_is_sent_as_it_is(self):
        peer = self.peer()
        harness.run(OUTSIDE, peer.getsockname()[1], input_bytes=b"\xff\xc0\xae" * 1000 + b"\n")
        got = b""
        while len(got) < 3000:
            got += peer.recv(2000)
        self.assertEqual(got, b"\xff\xc0\xae" * 1000)


class Shown(harness.ChatCase):
    """What comes from outside cannot reach the terminal."""

    VECTORS = [
        (b"clear \x1b[2J", "clear \\x1b[2J"),
        (b"\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        (b"\x1b]52;c;c2VjcmV0\x07", "\\x1b]52;c;c2VjcmV0\\x07"),
        (b"\x1b]8;;http://x\x1b\\link", "\\x1b]8;;http://x\\x1b\\link"),
        (b"over\rwritten", "over\\x0dwritten"),
        (b"c1 \x9b31m", "c1 \\x9b31m"),
        (b"c1 \xc2\x9b31m", "c1 \\x9b31m"),
        (b"osc \x9d", "osc \\x9d"),
        ("\u202eabc".encode(), "abc"),
        (b"overlong \xc0\xae", "overlong \ufffd\ufffd"),
        (b"lone \x80 continuation", "lone \\x80 continuation"),
        ("emoji 👩\u200d🚀".encode(), "emoji 👩\u200d🚀"),
        (b"emoji cut \xf0\x9f", "emoji cut"),
        ("שלום وعليكم".encode(), "שלום وعليكم"),
        (b"tab\there", "tab here"),
        (b"-rf", "-rf"),
        (b"nul \x00 del \x7f", "nul \\x00 del \\x7f"),
    ]

    def test_every_vector(self):
        one = self.chat("--port", "0")
        peer = self.peer()
        for sent, expected in self.VECTORS:
            with self.subTest(sent):
                one.out.bytes = b""
                peer.sendto(sent, (OUTSIDE, one.port))
                line = one.out.until(b"\n").decode()
                self.assertTrue(line.startswith(f"{self.name_of(peer)}: {expected}"), line)
                for forbidden in "\x1b\r\x07\x00\x7f\u202e\u009b\u009d":
                    self.assertNotIn(forbidden, line)


if __name__ == "__main__":
    harness.main()
