# SPDX-License-Identifier: MIT
"""Library and programs make their system calls by io::sys, so that the simulated kernel can answer them.

usage: system_calls.py [ROOT]

A direct `::socket(...)` or the like works until a test runs it in the simulation, where it gets a descriptor that is none.
The calls are those that runtime/ringlet/io/system_calls.hpp declares. The engines of the real kernel, and what only a real
process can do, are excepted below; a single line is excused by a comment, `lint-ok: why`.
"""

import pathlib
import re
import sys

import tokens

DECLARED = "runtime/ringlet/io/system_calls.hpp"
EXCEPTED = {
    "runtime/ringlet/io/system_calls.cpp",
    "runtime/ringlet/io/uring_engine.cpp",
    "runtime/ringlet/io/epoll_engine.cpp",
    "runtime/ringlet/io/detail/try_call.cpp",
    "runtime/ringlet/io/detail/file_call.cpp",
    "runtime/ringlet/os/run_main.cpp",  # before there is a loop
    "runtime/ringlet/net/resolver.cpp",  # around the sockets of c-ares, which are real
    "runtime/ringlet/testing/chaos_engine.cpp",  # before a real engine
    "apps/compare/sockets.cpp",  # what is compared is the real kernel
    "apps/compare/chats/chat_thread.cpp",
    "apps/compare/downloads/fetch_waiting.cpp",
}
EXCEPTED_FOLDERS = ("runtime/ringlet/testing/detail/", "apps/compare/models/")


def names(root):
    text = (root / DECLARED).read_text(encoding="utf-8")
    return set(re.findall(r"virtual \S+ (\w+)\(", text))


def direct_calls(source, wanted):
    """(line, name) of each call `::name(` of the global namespace."""
    code = tokens.Code(source)
    found = code.tokens
    for before, colons, name, bracket in zip([None, *found], found, found[1:], found[2:]):
        if colons.text != "::" or name.text not in wanted or bracket.text != "(":
            continue
        if before is not None and (before.kind == "word" and before.text not in tokens.BEFORE_EXPRESSION or before.text == ">"):
            continue  # io::sys::close, std::filesystem::...
        if name.line in code.excused:
            continue
        yield name.line, name.text


def check(root):
    wanted = names(root)
    for folder in ("runtime/ringlet", "apps"):
        for path in sorted((root / folder).rglob("*.?pp")):
            place = path.relative_to(root).as_posix()
            if place in EXCEPTED or place.startswith(EXCEPTED_FOLDERS):
                continue
            for line, name in direct_calls(path.read_text(encoding="utf-8"), wanted):
                yield f"{place}:{line}: ::{name}() goes past the simulated kernel; write sys::{name}() (io/system_calls.hpp)"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    complaints = list(check(root))
    print("\n".join([*complaints, f"{len(complaints)} direct system calls"]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
