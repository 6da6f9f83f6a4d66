# SPDX-License-Identifier: MIT
"""The C++ in README.md, and in the documents below, compiles, runs, and prints what the text says.

usage: check.py BUILD
       check.py --self-test

Each ```cpp block must be a complete program. Where a ```text block follows it directly (nothing but prose without another
code block between them), that is its output, word for word. A line before a block can say otherwise, in an HTML comment:

    <!-- run: ARGUMENTS -->          run it with these arguments
    <!-- compile only -->            it would not end by itself
    <!-- not compiled: why -->       it is no complete program
"""

import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import compiling  # noqa: E402

FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--\s*(.*?)\s*-->\s*$")
SECONDS = 30
TEXTS = ["README.md", "docs/tutorial.md", "docs/writing-awaitables.md", "docs/testing.md"]


class Program:
    def __init__(self, line, code, note, output):
        self.line, self.code, self.output = line, code, output
        self.compiled = not note.startswith("not compiled:")
        self.run = self.compiled and note != "compile only"
        self.arguments = shlex.split(note[len("run:"):]) if note.startswith("run:") else []


def programs(text):
    blocks = list(FENCE.finditer(text))
    for index, block in enumerate(blocks):
        if block[1].strip() not in ("cpp", "c++"):
            continue
        comment = COMMENT.search(text[: block.start()])
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        output = following[2] if following and following[1].strip() == "text" else None
        yield Program(text.count("\n", 0, block.start()) + 2, block[2], comment[1] if comment else "", output)


def self_test():
    text = ("# x\n\n```cpp\nint main() {}\n```\n\nIt prints\n\n```text\nhello\n```\n\n<!-- compile only -->\n```cpp\nint main() { }\n```\n"
            "\n```sh\nmake\n```\n<!-- run: -n 'a b' -->\n```cpp\nint main(int) {}\n```\n<!-- not compiled: a part -->\n```cpp\nf();\n```\n")
    found = list(programs(text))
    assert [p.line for p in found] == [4, 15, 23, 27], [p.line for p in found]
    assert [p.output for p in found] == ["hello\n", None, None, None]
    assert [p.run for p in found] == [True, False, True, False]
    assert [p.compiled for p in found] == [True, True, True, False]
    assert found[2].arguments == ["-n", "a b"]
    assert not list(programs("# nothing\n\n```text\nint main() {}\n```\n"))
    print("self-test passed")


def flags_of(build):
    """What a user would ask pkg-config for, from the build folder."""
    return subprocess.run(["pkg-config", "--static", "--cflags", "--libs", "ringlet"], check=True, capture_output=True, text=True,
                          env={"PKG_CONFIG_PATH": str(build.folder / "meson-uninstalled"), "PATH": "/usr/bin:/bin"}).stdout.split()


def build_and_run(build, text, program, flags, folder):
    place = f"{text}:{program.line}"
    name = f"{pathlib.Path(text).stem}-line{program.line}"
    source, binary = folder / f"{name}.cpp", folder / name
    code = f'#line {program.line} "{text}"\n{program.code}'
    library = next(build.folder.glob("runtime/libringlet.*"), None)
    newer = [path.stat().st_mtime for path in (library,) if path]
    if not (source.is_file() and source.read_text(encoding="utf-8") == code and binary.is_file() and newer and binary.stat().st_mtime > max(newer)):
        source.write_text(code, encoding="utf-8")
        binary.unlink(missing_ok=True)
        done = subprocess.run([build.compiler, "-std=c++20", "-Wall", "-Wextra", *build.sanitizer_flags(), source, "-o", binary, *flags],
                              capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:  # a README with warnings is no model
            return f"{place}: does not compile cleanly:\n{done.stderr}"
    if not program.run:
        return None
    try:
        done = subprocess.run([binary, *program.arguments], capture_output=True, text=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"{place}: did not end within {SECONDS} s"
    if done.returncode:
        return f"{place}: ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
    if program.output is not None and done.stdout != program.output:
        return f"{place}: printed\n{done.stdout}and the text says\n{program.output}"
    return None


def main():
    if sys.argv[1] == "--self-test":
        self_test()
        return 0
    build = compiling.Build(sys.argv[1])
    folder = build.folder / "tests" / "readme" / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    complaints, count = [], 0
    for text in TEXTS:
        found = list(programs((compiling.ROOT / text).read_text(encoding="utf-8")))
        count += len(found)
        if not any(program.compiled for program in found):
            complaints.append(f"{text} shows no C++ program")
        for program in found:
            if program.compiled and not re.search(r"\bint main\(", program.code):
                complaints.append(f"{text}:{program.line}: no complete program; say why before it: <!-- not compiled: why -->")
            elif program.compiled:
                complaints.append(build_and_run(build, text, program, flags_of(build), folder))
    complaints = [complaint for complaint in complaints if complaint]
    for complaint in complaints:
        print(complaint)
    print(f"{count} C++ blocks, {len(complaints)} wrong")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
