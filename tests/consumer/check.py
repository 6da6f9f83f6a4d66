# SPDX-License-Identifier: MIT
"""Another project can use us: installed, through pkg-config; and as a Meson subproject.

usage: check.py installed|subproject BUILD

Works in BUILD/tests/consumer/ and keeps the subproject's build there, so that only the first run takes long.
"""

import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import compiling  # noqa: E402

APP = pathlib.Path(__file__).resolve().parent / "app"
EXPECTED = "the answer is 42\n"


def call(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in command)}\nfailed with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run(program):
    output = call(program, timeout=30)
    if output != EXPECTED:
        sys.exit(f"{program} printed {output!r}, not {EXPECTED!r}")


def installed(build, folder):
    """meson install; then the compiler with nothing but what ringlet.pc says."""
    tree = fresh(folder / "tree")
    call("meson", "install", "-C", build.folder, "--no-rebuild", "--quiet", "--destdir", tree)
    (pc,) = tree.rglob("ringlet.pc")
    text = pc.read_text(encoding="utf-8")
    prefix = next(line[len("prefix="):] for line in text.splitlines() if line.startswith("prefix="))
    # As if it had been installed into this tree and not moved there.
    pc.write_text(text.replace(f"prefix={prefix}", f"prefix={tree}{prefix}", 1), encoding="utf-8")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}
    flags = call("pkg-config", "--static", "--cflags", "--libs", "ringlet", env=environment).split()
    if str(compiling.ROOT) in " ".join(flags).replace(str(tree), ""):
        sys.exit(f"ringlet.pc points into the sources: {flags}")
    headers = {path.relative_to(compiling.ROOT / "runtime") for path in (compiling.ROOT / "runtime").rglob("*.hpp")}
    there = {path.relative_to(tree / prefix[1:] / "include") for path in tree.rglob("*.hpp")}
    if headers != there:
        sys.exit(f"headers that are not installed: {sorted(map(str, headers - there))}; others: {sorted(map(str, there - headers))}")
    stray = [str(path) for path in (tree / prefix[1:] / "include").rglob("*") if path.is_file() and path.suffix != ".hpp"]
    if stray:
        sys.exit(f"installed among the headers: {stray}")
    program = folder / "consumer"
    call(build.compiler, "-std=c++20", *build.sanitizer_flags(), APP / "main.cpp", "-o", program, *flags)
    run(program)


def subproject(build, folder):
    """A Meson project that has our sources in its subprojects/."""
    source, into = folder / "source", folder / "build"
    fresh(source)
    for name in ("main.cpp", "meson.build"):
        (source / name).symlink_to(APP / name)
    (source / "subprojects").mkdir()
    (source / "subprojects" / "ringlet").symlink_to(compiling.ROOT)
    environment = {**os.environ, "CXX": build.compiler}
    if not (into / "build.ninja").is_file():
        fresh(into)
        # -O0: what is tested is that it builds and links, in the shortest time
        call("meson", "setup", into, source, "-Dbuildtype=plain", "-Dringlet:apps=false", "-Dringlet:tests=false", env=environment)
    call("ninja", "-C", into)
    run(into / "consumer")


def main():
    what, build = sys.argv[1], compiling.Build(sys.argv[2])
    folder = build.folder / "tests" / "consumer" / what
    folder.mkdir(parents=True, exist_ok=True)
    {"installed": installed, "subproject": subproject}[what](build, folder)
    print(f"{what}: built, ran, printed the answer")


if __name__ == "__main__":
    main()
