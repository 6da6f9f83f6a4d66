# SPDX-License-Identifier: MIT
"""Arrows between the parts of the runtime point one way; this reads the includes and fails on one that points back.

usage: includes.py [ROOT]

The arrows, and who may see what, are in docs/architecture.md. Where one is refused, move the code to the part that may have
it, or let the lower part take a callable from the higher one.
"""

import pathlib
import re
import sys

# part: the parts that it may include, besides itself
ARROWS = {
    "core": set(),
    "time": {"core"},
    "sync": {"core", "time"},
    "io": {"core", "time"},
    "net": {"core", "time", "sync", "io"},
    "fs": {"core", "time", "sync", "io"},
    "os": {"core", "time", "sync", "io"},
    "http": {"core", "time", "sync", "io", "net"},
}
ANYTHING = {"testing"}  # shipped for tests: may look into every part
KERNEL_HEADER = "liburing.h"
MAY_SEE_THE_RING = {"io", "testing"}
# program: others that it is another form of, so that they have in common what does not differ
FORMS_OF = {"compare": {"chat", "fetch"}}
WITHOUT_THE_RUNTIME = {"apps/compare/models/uring.cpp"}  # io_uring by hand, to compare with

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = (".hpp", ".cpp", ".h", ".cc", ".c")


def includes(path):
    """(line number, name, quoted) of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[2], match[1] == '"'


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in SOURCES and p.is_file()) if folder.is_dir() else []


def ringlet_name(path, name, quoted, root):
    """The include as `ringlet/part/...`, or None if it is not one of ours."""
    if quoted:
        beside = (path.parent / name).resolve()
        runtime = (root / "runtime").resolve()
        if beside.is_file() and runtime in beside.parents:
            return beside.relative_to(runtime).as_posix()
    return name if name == "ringlet.hpp" or name.startswith("ringlet/") else None


def is_ring_header(name):
    return name == KERNEL_HEADER or name.startswith("liburing/") or name == "linux/io_uring.h"


def part_of(name):
    """`core` for ringlet/core/task.hpp; None for the umbrella ringlet/ringlet.hpp."""
    pieces = name.split("/")
    return pieces[1] if len(pieces) > 2 else None


def check_runtime(root):
    runtime = root / "runtime"
    for path in sources(runtime):
        part = part_of(path.relative_to(runtime).as_posix())
        for line, name, quoted in includes(path):
            place = f"{path.relative_to(root)}:{line}"
            if is_ring_header(name) and part not in MAY_SEE_THE_RING:
                yield f"{place}: <{name}> belongs to runtime/ringlet/io; forward-declare what you need"
            ours = ringlet_name(path, name, quoted, root)
            if ours is None:
                continue
            target = part_of(ours)
            if part is None or part in ANYTHING:  # the umbrella includes everything
                continue
            if target is None:
                yield f"{place}: the umbrella header is for users; include what you need"
            elif part not in ARROWS:
                yield f"{place}: part '{part}' has no arrows yet; add it to {pathlib.Path(__file__).name}"
            elif target != part and target not in ARROWS[part]:
                allowed = ", ".join(sorted(ARROWS[part])) or "nothing else"
                yield f"{place}: {part} may not include {target} (it may include: {allowed})"


def check_umbrella(root):
    umbrella = root / "runtime" / "ringlet" / "ringlet.hpp"
    if not umbrella.is_file():
        return
    for number, line in enumerate(umbrella.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if text and not text.startswith(("//", "#pragma once", "#include")):
            yield f"{umbrella.relative_to(root)}:{number}: the umbrella holds includes and nothing else"


def check_apps(root):
    apps = root / "apps"
    for path in sources(apps):
        program = path.relative_to(apps).parts[0]
        for line, name, quoted in includes(path):
            place = f"{path.relative_to(root)}:{line}"
            if is_ring_header(name) and path.relative_to(root).as_posix() not in WITHOUT_THE_RUNTIME:
                yield f"{place}: programs do not see the ring"
            ours = ringlet_name(path, name, quoted, root)
            if ours is not None and "/detail/" in ours:
                yield f"{place}: {ours} is not for users; programs include public headers only"
            if quoted and ours is None:
                target = next((p for p in ((path.parent / name), (apps / name)) if p.is_file()), None)
                if target is not None:
                    other = target.resolve().relative_to(apps.resolve()).parts[0]
                    if other not in {program, "common", *FORMS_OF.get(program, ())}:
                        yield f"{place}: {program} includes {other}; what two programs share belongs in apps/common"


def check(root):
    return [*check_runtime(root), *check_umbrella(root), *check_apps(root)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    if not (root / "runtime").is_dir():
        sys.exit(f"includes: {root} has no runtime/")
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    print(f"{len(sources(root / 'runtime')) + len(sources(root / 'apps'))} files read, {len(complaints)} arrows point back")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
