# SPDX-License-Identifier: MIT
"""Planted calls: direct ones are found, those by io::sys and other functions of these names are not."""

import unittest

import system_calls

NAMES = {"close", "socket", "fstat"}
BAD = ["int f(int fd) { return ::close(fd); }", "auto s = x ? ::socket(1, 2, 3) : 0;", "if (!::fstat(fd, &s)) return;",
       "int n = (::close(fd));"]
GOOD = ["io::sys::close(fd);", "sys::close(fd);", "stream.close();", "::closedir(d);", "a::b::fstat(x);", "// ::close(fd)",
        'auto t = "::close(fd)";', "::close(fd);  // lint-ok: the parent's", "f<int>::close(3);"]


class Planted(unittest.TestCase):
    def test_direct_calls_are_found(self):
        for line in BAD:
            with self.subTest(line):
                self.assertEqual(len(list(system_calls.direct_calls(line, NAMES))), 1)

    def test_others_are_not(self):
        for line in GOOD:
            with self.subTest(line):
                self.assertEqual(list(system_calls.direct_calls(line, NAMES)), [])


if __name__ == "__main__":
    unittest.main()
