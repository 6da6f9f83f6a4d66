# SPDX-License-Identifier: MIT
"""Every header of the runtime compiles alone, so that a user may include any of them first.

usage: headers.py BUILD
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import compiling  # noqa: E402


def main():
    build = compiling.Build(sys.argv[1])
    cache = compiling.Cache(build, "headers")
    runtime = compiling.ROOT / "runtime"
    folder = build.folder / "tests" / "lint" / "headers"
    folder.mkdir(parents=True, exist_ok=True)
    headers = sorted(path.relative_to(runtime).as_posix() for path in runtime.rglob("*.hpp"))
    command = [build.compiler, *build.flags, "-fsyntax-only", "-x", "c++"]
    jobs = []
    for header in headers:
        source = folder / (header.replace("/", "_") + ".cpp")
        text = f"#include <{header}>\n#include <{header}>\n"  # the second time its guard must hold
        if not source.is_file() or source.read_text(encoding="utf-8") != text:
            source.write_text(text, encoding="utf-8")
        jobs.append((command, source))
    failed = 0
    for header, (status, output) in zip(headers, cache.compile_all(jobs)):
        if status:
            failed += 1
            print(f"{header} does not compile alone:\n{output}")
    cache.save()
    print(f"{len(headers)} headers compiled alone, {failed} failed")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
