# SPDX-License-Identifier: MIT
"""ringlet-lessons: each lesson runs, ends, and prints what expected/ has for it; its text is its source.

usage: lessons_test.py PROGRAM [unittest's arguments]
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import unittest

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "ringlet-lessons"
EXPECTED = pathlib.Path(__file__).resolve().parent / "expected"
SOURCES = pathlib.Path(__file__).resolve().parents[3] / "apps" / "lessons"
NO_LESSONS = {"main.cpp", "regex.cpp"}

# Those that a lesson has by itself are 5; on a busy machine, and under sanitizers, everything takes longer.
HANGS_AFTER = 60


def run(*arguments, **how):
    how.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, encoding="utf-8", timeout=HANGS_AFTER, **how)


def listed():
    return [line.split()[0] for line in run("--list").stdout.splitlines()]


class Lessons(unittest.TestCase):
    def run_all(self, **how):
        """Two at a time: most of them only wait."""
        names = listed()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = dict(zip(names, pool.map(lambda name: run(name, **how), names)))
        for name, lesson in done.items():
            with self.subTest(name):
                self.assertEqual((lesson.returncode, lesson.stderr), (0, ""))
                self.assertEqual(lesson.stdout, (EXPECTED / f"{name}.txt").read_text(encoding="utf-8"))

    def test_each_prints_what_it_shows_and_ends(self):
        self.run_all(env={k: v for k, v in os.environ.items() if k != "RINGLET_ENGINE"})

    def test_each_does_the_same_on_epoll(self):
        self.run_all(env={**os.environ, "RINGLET_ENGINE": "epoll"})

    def test_without_standard_input(self):
        for name in ["udp", "fork", "process-pool", "epoll"]:  # what they open must not take its place
            with self.subTest(name):
                lesson = run(name, stdin=None, preexec_fn=lambda: os.close(0))
                self.assertEqual((lesson.returncode, lesson.stderr), (0, ""))
                self.assertEqual(lesson.stdout, (EXPECTED / f"{name}.txt").read_text(encoding="utf-8"))

    def test_nothing_is_expected_of_lessons_that_there_are_not(self):
        self.assertEqual(sorted(listed()), sorted(path.stem for path in EXPECTED.iterdir()))


class Texts(unittest.TestCase):
    def test_the_text_is_the_source(self):
        shown = {f"{name.replace('-', '_')}.cpp": name for name in listed()}
        self.assertEqual(sorted(shown), sorted(path.name for path in SOURCES.glob("*.cpp") if path.name not in NO_LESSONS))
        for file, name in [*shown.items(), ("regex.hpp", "regex.hpp")]:
            with self.subTest(name):
                lesson = run("--show", name)
                self.assertEqual((lesson.returncode, lesson.stderr), (0, ""))
                self.assertEqual(lesson.stdout, (SOURCES / file).read_text(encoding="utf-8"))

    def test_a_lesson_that_another_speaks_of_is_there(self):
        names = set(listed())
        for name in names:
            text = run("--show", name).stdout
            for spoken_of in re.findall(r"\b[Ll]essons? ([a-z][a-z-]*[a-z])", text):
                with self.subTest(name):
                    self.assertIn(spoken_of, names)

    def test_each_begins_with_an_explanation(self):
        for name in listed():
            text = (SOURCES / f"{name.replace('-', '_')}.cpp").read_text(encoding="utf-8")
            with self.subTest(name):
                explanation = text[:text.index("\n#include")].splitlines()
                self.assertGreater(len(explanation), 4)
                self.assertLessEqual(max(map(len, explanation)), 100)  # it is read on terminals


    def test_the_page_on_the_course_names_each_and_no_others(self):
        page = (SOURCES.parents[1] / "docs" / "course.md").read_text(encoding="utf-8")
        here = [row.split("|")[1] for row in re.findall(r"^\| (.*) \|$", page, re.MULTILINE)]
        named = {name for cell in here for name in re.findall(r"`([^`]+)`", cell) if not name.startswith("ringlet-")}
        self.assertEqual(sorted(named), sorted(listed()))


class CommandLine(unittest.TestCase):
    def test_the_list_has_a_name_and_what_it_is_about_in_each_line(self):
        for arguments in [[], ["--list"]]:
            lines = run(*arguments).stdout.splitlines()
            self.assertGreater(len(lines), 30)
            for line in lines:
                self.assertRegex(line, r'^[a-z][a-z-]* +\S.*[.?"]$')
                self.assertLessEqual(len(line), 110)

    def wrong(self, *arguments):
        lesson = run(*arguments)
        self.assertEqual((lesson.returncode, lesson.stdout), (2, ""))
        self.assertTrue(lesson.stderr.endswith("\nTry 'ringlet-lessons --help' for more information.\n"), lesson.stderr)
        return lesson.stderr.splitlines()[0]

    def test_a_name_that_is_none(self):
        self.assertEqual(self.wrong("udq"), "ringlet-lessons: there is no lesson udq, did you mean udp?")
        self.assertEqual(self.wrong("--show", "half_close"), "ringlet-lessons: there is no lesson half_close, did you mean half-close?")
        self.assertEqual(self.wrong("fibo"), "ringlet-lessons: there is no lesson fibo, did you mean fibonacci?")
        self.assertEqual(self.wrong("blockchain"), "ringlet-lessons: there is no lesson blockchain; --list has them all")
        self.assertEqual(self.wrong("\x1b[2Jx"), "ringlet-lessons: there is no lesson \\x1b[2Jx; --list has them all")
        self.assertEqual(self.wrong("regex.hpp"), "ringlet-lessons: regex.hpp is no lesson; --show regex.hpp has its text")

    def test_wrong_usage(self):
        self.assertEqual(self.wrong("--show"), "ringlet-lessons: --show takes the name of a lesson")
        self.assertEqual(self.wrong("--list", "udp"), "ringlet-lessons: --list takes no name")
        self.assertEqual(self.wrong("udp", "tcp"), "ringlet-lessons: unexpected word: tcp")
        self.assertEqual(self.wrong("--shwo", "udp"), "ringlet-lessons: unknown option --shwo, did you mean --show?")
        self.wrong("--list", "--show", "udp")

    def test_help_and_version(self):
        self.assertIn("ringlet-lessons --show udp", run("--help").stdout)
        self.assertRegex(run("--version").stdout, r"^ringlet-lessons \d+\.\d+\.\d+\n$")

    def test_output_that_cannot_be_written(self):
        for arguments in [["--list"], ["udp"], ["--show", "epoll"]]:
            with open("/dev/full", "w") as full:
                lesson = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=HANGS_AFTER)
            self.assertEqual(lesson.returncode, 1)
            self.assertRegex(lesson.stderr, r"^ringlet-lessons: .*No space left on device\n$")

    def test_a_reader_that_has_gone_is_nothing_to_talk_about(self):
        for arguments in [["--list"], ["udp"], ["--show", "epoll"]]:  # "| head" is often faster
            reader, pipe = os.pipe()
            os.close(reader)
            with open(pipe, "w") as nobody:
                lesson = subprocess.run([PROGRAM, *arguments], stdout=nobody, stderr=subprocess.PIPE, text=True, timeout=HANGS_AFTER)
            with self.subTest(arguments):
                self.assertEqual((lesson.returncode, lesson.stderr), (141, ""))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
