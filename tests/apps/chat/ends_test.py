# SPDX-License-Identifier: MIT
"""How a chat begins and ends: command lines, ports, hosts, signals, terminals, readers that go away."""

import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import termios

import harness

OUTSIDE = "127.0.0.1"


class Beginnings(harness.ChatCase):
    def test_a_port_in_use_is_said(self):
        other = self.peer("127.0.0.1")
        port = other.getsockname()[1]
        for arguments in [["-p", port], ["-p", port, OUTSIDE, 9], ["-p", port, "--bind", OUTSIDE]]:
            with self.subTest(arguments):
                done = harness.run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertRegex(done.stderr.decode(), rf"^ringlet-chat: UDP port {port} .*in use.*--port 0\n$")

    def test_two_chats_do_not_share_a_port(self):
        one = self.chat("--port", "0")
        self.assertEqual(harness.run("--port", one.port).returncode, 1)

    def test_hosts_that_are_none(self):
        for host in ["nobody.invalid", "127.0.0.256", "1.2.3"]:
            with self.subTest(host):
                done = harness.run(host, 9000, input_bytes=b"hello\n")
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr.decode(), rf"^ringlet-chat: .*{host}")

    def test_wrong_command_lines(self):
        for arguments in [["127.0.0.1"], ["127.0.0.1", "0"], ["127.0.0.1", "port"], ["127.0.0.1", "70000"], ["-p", "-1"],
                          ["127.0.0.1", "0x50"], ["127.0.0.1", ""], ["-p", "+80"], ["-p", ""],
                          ["--bind", "here"], ["a", "1", "b", "2"], ["--prot", "1"], ["x", "127.0.0.1", "9"],
                          ["-p", "1", "2", "127.0.0.1", "9"], ["1", "127.0.0.1", "0"], ["--limit", "-1"], ["-n", " "],
                          ["--menu", "127.0.0.1", "9"]]:
            with self.subTest(arguments):
                done = harness.run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
                self.assertIn(b"Try 'ringlet-chat --help'", done.stderr)

    def test_a_name_that_takes_long_is_said(self):
        silent = socket.socket(type=socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        try:
            silent.bind(("127.77.77.77", 53))  # a name server that never answers
        except OSError as error:
            self.skipTest(f"a name server of our own: {error}")
        with tempfile.NamedTemporaryFile("w") as resolv_conf:
            resolv_conf.write("nameserver 127.77.77.77\n")
            resolv_conf.flush()
            script = f'mount --bind {resolv_conf.name} /etc/resolv.conf && exec "$@"'
            if subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", "true"], capture_output=True, check=False).returncode:
                self.skipTest("no mount namespace with a resolv.conf of our own")
            process = subprocess.Popen(["unshare", "-m", "sh", "-c", script, "sh", harness.PROGRAM, "slow.example", "9"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.addCleanup(process.stderr.close)
            harness.Hearing(process.stderr.fileno()).until(b"resolving slow.example ...\n")

    def test_help(self):
        done = harness.run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"nc -u", done.stdout)

    def test_bound_to_one_address(self):
        one = self.chat("--port", "0", "--bind", "127.0.0.2")
        peer = self.peer()
        peer.sendto(b"hello", ("127.0.0.2", one.port))
        one.out.until(b": hello\n")
        one.say("hello yourself")
        self.assertEqual(peer.recvfrom(100), (b"hello yourself", ("127.0.0.2", one.port)))


class Signals(harness.ChatCase):
    def test_signals_end_it(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for arguments in (["--port", "0"], [OUTSIDE, harness.free_port()], [0, OUTSIDE, harness.free_port()]):
                with self.subTest(number=number, arguments=arguments):
                    one = self.chat(*arguments)
                    # Once it shows what comes, it also waits for signals.
                    peer = self.peer()
                    peer.sendto(b"hello", (OUTSIDE, one.port))
                    one.out.until(b": hello\n")
                    one.process.send_signal(number)
                    self.assertIn(one.status(), (128 + number, -number))

    def test_a_signal_while_waiting_for_somebody_to_send_to(self):
        one = self.chat("--port", "0")
        one.say("hello?")
        one.process.stdin.close()
        one.err.until(b"waiting for somebody")
        one.process.send_signal(signal.SIGINT)
        self.assertEqual(one.status(), 130)


class Readers(harness.ChatCase):
    def test_a_reader_that_goes_away_ends_it_quietly(self):
        one = self.chat("--port", "0")
        one.process.stdout.close()
        peer = self.peer()
        peer.sendto(b"hello", (OUTSIDE, one.port))
        self.assertEqual(one.status(), 128 + signal.SIGPIPE)
        self.assertNotIn(b"ringlet-chat:", one.err.to_end())

    def test_a_slow_reader_loses_nothing(self):
        one = self.chat("--port", "0")
        peer = self.peer()
        # More than a pipe holds, with nobody reading: it has to be kept. Answers pace us, so that the socket does not overflow.
        peer.sendto(b"begin", (OUTSIDE, one.port))
        one.out.until(b"begin\n")
        for number in range(200):
            peer.sendto(b"%04d " % number + b"x" * 1000, (OUTSIDE, one.port))
            if number % 50 == 49:
                one.say("go on")
                self.assertEqual(peer.recv(100), b"go on")
        one.out.until(b": 0199 " + b"x" * 1000 + b"\n")
        self.assertEqual(one.out.bytes.count(b"\n"), 201)


    def test_what_it_says_of_itself_may_be_lost(self):
        def close_stderr():
            harness.default_signals()
            os.close(2)

        with open("/dev/full", "wb") as full:
            for how in ({"stderr": full}, {"preexec_fn": close_stderr}):
                with self.subTest(how):
                    peer = self.peer()
                    done = subprocess.run([harness.PROGRAM, OUTSIDE, str(peer.getsockname()[1])], input=b"one\ntwo\n",
                                          stdout=subprocess.PIPE, timeout=harness.HANGS_AFTER, check=False, **how)
                    self.assertEqual([peer.recv(100), peer.recv(100)], [b"one", b"two"])
                    self.assertEqual(done.returncode, 0)


class Terminal(harness.ChatCase):
    """What a terminal sends and takes, byte by byte; what then stands on it is for screen_test.py."""

    def start(self, *arguments):
        pid, self.screen_fd = pty.fork()
        if pid == 0:
            harness.default_signals()
            os.execve(harness.PROGRAM, ["ringlet-chat", *map(str, arguments)], {**os.environ, "TERM": "xterm"})
        self.pid = pid
        self.addCleanup(self.end_at_all_events)
        self.screen = harness.Hearing(self.screen_fd)
        self.screen.until(b"> ")

    def end_at_all_events(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
        if self.screen_fd >= 0:
            os.close(self.screen_fd)
            self.screen_fd = -1

    def type(self, text):
        os.write(self.screen_fd, text.encode() if isinstance(text, str) else text)

    def ended(self):
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def talk(self):
        """A chat at a terminal with a plain peer, each of which has heard the other."""
        peer = self.peer()
        self.start(OUTSIDE, peer.getsockname()[1])
        self.type("hello\r")
        text, self.address = peer.recvfrom(100)
        self.assertEqual(text, b"hello")
        peer.sendto("héllo 日本".encode(), self.address)
        self.screen.until(f"{self.name_of(peer)}: héllo 日本\r\n".encode())
        return peer

    def test_characters_and_keys_that_are_cut_between_reads(self):
        peer = self.talk()
        for byte in "日é👩x".encode() + b"\x1b[D\x1b[D" + b"\x1b[3~" + b"\x1bOF" + b"!\r":
            self.type(bytes([byte]))
            while int.from_bytes(fcntl.ioctl(self.screen_fd, termios.TIOCOUTQ, bytes(4)), sys.byteorder):
                pass  # until it has been read
            self.screen.listen()
        self.assertEqual(peer.recv(100).decode(), "日éx!")

    def test_bytes_that_are_no_characters(self):
        peer = self.talk()
        self.type(b"a\xff\xc0\xaeb\xe6\x97c\r")
        self.assertEqual(peer.recv(100).decode(), "a\ufffd\ufffd\ufffdb\ufffd\ufffdc")

    def test_a_line_without_end(self):
        peer = self.talk()
        for _ in range(40):
            self.type("0123456789" * 100)
            self.screen.listen()
        self.type("\r")
        got = 0
        while got < 8192:  # what is typed beyond is not taken
            got += len(peer.recv(2000))
        self.assertEqual(got, 8192)

    def test_a_terminal_that_takes_nothing(self):
        """Nobody reads the other side: that does not hold up the end."""
        for end, status in ((lambda: self.type("\x03"), 130), (lambda: os.kill(self.pid, signal.SIGTERM), 143)):
            peer = self.talk()
            for number in range(500):
                peer.sendto(b"%d " % number + b"x" * 1000, self.address)
            end()
            self.assertEqual(self.ended(), status)
            self.end_at_all_events()

    def test_a_terminal_that_goes_away(self):
        self.talk()
        os.close(self.screen_fd)
        self.screen_fd = -1
        self.assertIn(self.ended(), (129, -signal.SIGHUP))

    def test_the_terminal_is_left_as_it_was(self):
        for how, statuses in (("\x03", (130, -signal.SIGINT)), ("\x04", (0,)), ("/quit\r", (0,))):
            with self.subTest(how):
                self.talk()
                during = termios.tcgetattr(self.screen_fd)
                self.assertFalse(during[3] & termios.ECHO)
                self.type(how)
                self.assertIn(self.ended(), statuses)
                after = termios.tcgetattr(self.screen_fd)
                self.assertEqual(after[3] & (termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN),
                                 termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
                self.screen.to_end()
                self.assertRegex(self.screen.bytes, rb"\r\x1b\[J(> /quit\r\n)?$")  # the shell's prompt begins a line
                self.end_at_all_events()

    def test_the_terminal_is_left_as_it_was_after_an_error(self):
        peer = self.talk()
        os.kill(self.pid, signal.SIGABRT)
        self.assertIn(self.ended(), (134, -signal.SIGABRT))
        self.assertTrue(termios.tcgetattr(self.screen_fd)[3] & termios.ECHO)
        peer.close()


if __name__ == "__main__":
    harness.main()
