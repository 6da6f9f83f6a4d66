# SPDX-License-Identifier: MIT
"""Planted includes: each bad one is refused, each good one accepted."""

import pathlib
import tempfile
import unittest

import includes

BAD = {
    "runtime/ringlet/core/task.hpp": ["<ringlet/time/sleep.hpp>", "<ringlet/io/engine.hpp>", "<ringlet/sync/event.hpp>"],
    "runtime/ringlet/time/sleep.cpp": ["<ringlet/io/engine.hpp>", "<ringlet/sync/event.hpp>", "<liburing.h>"],
    "runtime/ringlet/sync/event.hpp": ["<ringlet/io/engine.hpp>"],
    "runtime/ringlet/io/engine.hpp": ["<ringlet/sync/event.hpp>", "<ringlet/net/endpoint.hpp>", "<ringlet/ringlet.hpp>"],
    "runtime/ringlet/net/tcp_stream.hpp": ["<ringlet/http/message.hpp>", "<ringlet/fs/file.hpp>", "<liburing.h>",
                                           "<liburing/io_uring.h>", "<linux/io_uring.h>"],
    "runtime/ringlet/http/client.hpp": ["<ringlet/fs/file.hpp>", "<ringlet/testing/simulator.hpp>"],
    "runtime/ringlet/io/detail/heap.hpp": ["<ringlet/net/endpoint.hpp>"],
    "runtime/ringlet/extra/thing.hpp": ["<ringlet/core/task.hpp>"],
    "apps/serve/main.cpp": ["<ringlet/io/detail/heap.hpp>", "<liburing.h>", '"../fetch/options.hpp"', '"fetch/options.hpp"'],
    "apps/compare/programs.hpp": ['"serve/site.hpp"'],
}
GOOD = {
    "runtime/ringlet/core/task.hpp": ["<ringlet/core/job.hpp>", "<coroutine>", '"job.hpp"'],
    "runtime/ringlet/time/sleep.cpp": ["<ringlet/core/task.hpp>", "<ringlet/time/clock.hpp>"],
    "runtime/ringlet/sync/event.hpp": ["<ringlet/core/task.hpp>", "<ringlet/time/clock.hpp>"],
    "runtime/ringlet/io/op/recv.hpp": ["<liburing.h>", "<ringlet/core/task.hpp>", "<ringlet/io/detail/heap.hpp>"],
    "runtime/ringlet/net/tcp_stream.hpp": ["<ringlet/io/engine.hpp>", "<ringlet/sync/event.hpp>", "<fmt/format.h>"],
    "runtime/ringlet/http/client.hpp": ["<ringlet/net/tcp_stream.hpp>", "<ringlet/core/task.hpp>"],
    "runtime/ringlet/testing/simulator.hpp": ["<liburing.h>", "<ringlet/http/client.hpp>"],
    "runtime/ringlet/ringlet.hpp": ["<ringlet/http/client.hpp>"],
    "apps/serve/main.cpp": ["<ringlet/ringlet.hpp>", "<ringlet/io/engine.hpp>", '"../common/options.hpp"', '"site.hpp"'],
    "apps/compare/programs.hpp": ['"fetch/options.hpp"'],
}
BESIDE = ["runtime/ringlet/core/job.hpp", "apps/fetch/options.hpp", "apps/common/options.hpp", "apps/serve/site.hpp"]


def complaints_about(file, include):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in BESIDE:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(f"// SPDX-License-Identifier: MIT\n#pragma once\n#include {include}\n", encoding="utf-8")
        return includes.check(root)


class Includes(unittest.TestCase):
    def test_arrows_that_point_back_are_refused(self):
        for file, names in BAD.items():
            for name in names:
                with self.subTest(file=file, include=name):
                    self.assertEqual(len(complaints_about(file, name)), 1)

    def test_arrows_that_point_down_are_accepted(self):
        for file, names in GOOD.items():
            for name in names:
                with self.subTest(file=file, include=name):
                    self.assertEqual(complaints_about(file, name), [])

    def test_a_complaint_names_the_place(self):
        (complaint,) = complaints_about("runtime/ringlet/core/task.hpp", "<ringlet/io/engine.hpp>")
        self.assertTrue(complaint.startswith("runtime/ringlet/core/task.hpp:3: core may not include io"), complaint)

    def test_the_umbrella_holds_only_includes(self):
        with tempfile.TemporaryDirectory() as folder:
            umbrella = pathlib.Path(folder) / "runtime/ringlet/ringlet.hpp"
            umbrella.parent.mkdir(parents=True)
            umbrella.write_text("#pragma once\n#include <ringlet/core/task.hpp>\nnamespace rt = ringlet;\n", encoding="utf-8")
            self.assertEqual(len(includes.check(pathlib.Path(folder))), 1)


if __name__ == "__main__":
    unittest.main()
