# SPDX-License-Identifier: MIT
"""The course's menu, from a pipe; on a terminal see screen_test.py."""

import signal

import harness

OUTSIDE = "127.0.0.1"
MENU = "1 send\n2 receive\n3 quit\nChoice: "
QUESTIONS = "Address: Port: Message: "


class Menu(harness.ChatCase):
    def menu(self, *arguments):
        return self.chat("--menu", "-p", "0", *arguments)

    def choose(self, one, *answers):
        for answer in answers:
            one.say(str(answer))

    def test_send_to_one_after_the_other(self):
        peers = [self.peer(), self.peer()]
        one = self.menu()
        for peer in peers:
            self.choose(one, 1, OUTSIDE, peer.getsockname()[1], "Grüße")
        self.choose(one, 3)
        self.assertEqual([peer.recv(100).decode() for peer in peers], ["Grüße", "Grüße"])
        self.assertEqual(one.status(), 0)
        self.assertEqual(one.out.to_end().decode(), (MENU + QUESTIONS) * 2 + MENU)

    def test_to_both_families_by_name_and_with_a_nick(self):
        peers = [self.peer(), self.peer("::1")] if harness.has_ipv6() else [self.peer()]
        one = self.menu("-n", "Ada")
        for peer in peers:
            self.choose(one, 1, peer.getsockname()[0], peer.getsockname()[1], "hi")
            self.assertEqual(peer.recv(100), b"Ada: hi")
        self.choose(one, 1, "localhost", peers[0].getsockname()[1], "by name")
        self.choose(one, 3)
        self.assertEqual(one.status(), 0)

    def test_receive_waits_for_a_message_and_shows_all_that_have_come(self):
        one = self.menu()
        peer = self.peer()
        self.choose(one, 2)
        one.err.until(f"Waiting at port {one.port} for a message. Ctrl-C leaves.\n".encode())
        peer.sendto(b"", (OUTSIDE, one.port))  # none
        peer.sendto(b"first", (OUTSIDE, one.port))
        one.out.until(f"{self.name_of(peer)}: first\n{MENU}".encode())
        for text in (b"second", b"third \x1b[2J"):
            peer.sendto(text, (OUTSIDE, one.port))
        one.out.bytes = b""
        self.choose(one, 2)
        one.out.until(f"{self.name_of(peer)}: second\n{self.name_of(peer)}: third \\x1b[2J\n{MENU}".encode())
        self.choose(one, 3)
        self.assertEqual(one.status(), 0)

    def test_two_menus(self):
        one, two = self.menu(), self.menu()
        self.choose(one, 1, OUTSIDE, two.port, "to two")
        self.choose(two, 2)
        two.out.until(f"{OUTSIDE}:{one.port}: to two\n".encode())
        self.choose(two, 1, OUTSIDE, one.port, "to one")
        self.choose(one, 2)
        one.out.until(f"{OUTSIDE}:{two.port}: to one\n".encode())

    def test_nobody_listens(self):
        port = harness.free_port()
        done = harness.run("--menu", "-p", "0", input_bytes=f"1\n{OUTSIDE}\n{port}\nhello\n3\n".encode())
        self.assertEqual(done.returncode, 0)
        self.assertIn(f"connection refused: nobody listens at {OUTSIDE}:{port} yet\n", done.stderr.decode())

    def test_answers_that_are_none(self):
        for answers, said in [("4\n", "1, 2 or 3, not '4'"), ("\x1b[2J\n", "not '\\x1b[2J'"), (f"1\n{OUTSIDE}\n0\nx\n", "'0' is no port"),
                              ("1\n\n9\nx\n", "no address"), (f"1\n{OUTSIDE}\n70000\nx\n", "'70000' is no port"),
                              ("1\nnobody.invalid\n9\nx\n", "Not sent: nobody.invalid: ")]:
            with self.subTest(answers):
                done = harness.run("--menu", "-p", "0", input_bytes=answers.encode() + b"3\n")
                self.assertIn(said, done.stderr.decode())
                self.assertEqual(done.returncode, 1 if answers.startswith("1") else 0)

    def test_the_input_may_end_anywhere(self):
        for answers in ("", "1\n", f"1\n{OUTSIDE}\n", f"1\n{OUTSIDE}\n9\n"):
            with self.subTest(answers):
                self.assertEqual(harness.run("--menu", "-p", "0", input_bytes=answers.encode()).returncode, 0)

    def test_signals_end_it(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            one = self.menu()
            self.choose(one, 2)
            one.err.until(b"Waiting")
            one.process.send_signal(number)
            self.assertIn(one.status(), (128 + number, -number))


if __name__ == "__main__":
    harness.main()
