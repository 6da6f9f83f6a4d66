# SPDX-License-Identifier: MIT
"""The C++ in README.md, and in the documents below, compiles, runs, and prints what the text says.

usage: check.py BUILD
       check.py --self-test

Each ```cpp block must be a complete program. Where a ```text block follows it directly (nothing but prose without another
code block between them), that is its output, word for word, but that `...` stands for anything within a line.

A later ```text block belongs to a change of the program above it when the prose between them says

    With `NEW` in place of `OLD`          or          Without `OLD`

Then the program with that change is compiled, and run if that succeeds, and each line of the block must be in a line of what
compiler and program say, in this order. A ```text block that is neither is a mistake.

In docs/from-gevent.md each program uses what the second column of the table above it names.

A line before a ```cpp block can say otherwise, in an HTML comment:

    <!-- run: ARGUMENTS -->          run it with these arguments; {site} is the URL of a web server that has a few files
    <!-- compile only -->            it would not end by itself
    <!-- not compiled: why -->       it is no complete program
"""

import concurrent.futures
import functools
import http.server
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import compiling  # noqa: E402

FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--\s*(.*?)\s*-->\s*$")
CHANGE = re.compile(r"\b[Ww]ith\s+`([^`]+)`\s+in\s+place\s+of\s+`([^`]+)`|\b[Ww]ithout\s+`([^`]+)`")
CODE = re.compile(r"`([^`]+)`")
PLACEHOLDERS = {"auto", "co_await", "while"}  # and what stands in parentheses
SECONDS = 30
TEXTS = ["README.md", "docs/tutorial.md", "docs/from-gevent.md", "docs/writing-awaitables.md", "docs/testing.md"]


class Program:
    def __init__(self, line, code, note, output):
        self.line, self.code, self.output = line, code, output
        self.compiled = not note.startswith("not compiled:")
        self.run = self.compiled and note != "compile only"
        self.arguments = shlex.split(note[len("run:"):]) if note.startswith("run:") else []
        self.changes = []


class Change:
    """What becomes of a program when one thing in it is another."""

    def __init__(self, line, old, new, says):
        self.line, self.old, self.new, self.says = line, old, new, says


def programs(text, name="the text"):
    blocks = list(FENCE.finditer(text))
    found = []
    for index, block in enumerate(blocks):
        kind, line = block[1].strip(), text.count("\n", 0, block.start()) + 2
        if kind in ("cpp", "c++"):
            comment = COMMENT.search(text[: block.start()])
            following = blocks[index + 1] if index + 1 < len(blocks) else None
            output = following[2] if following and following[1].strip() == "text" else None
            found.append(Program(line, block[2], comment[1] if comment else "", output))
        elif kind == "text" and found and blocks[index - 1][1].strip() not in ("cpp", "c++"):
            told = list(CHANGE.finditer(text[blocks[index - 1].end(): block.start()]))
            if len(told) != 1:
                raise SystemExit(f"{name}:{line}: what is this the output of? The text above it tells of {len(told)} changes")
            old, new = (re.sub(r"\s*\n\s*", " ", part) for part in (told[0][2] or told[0][3], told[0][1] or ""))
            found[-1].changes.append(Change(line, old, new, block[2]))
    return found


def unused(text):
    """Names in the second columns of tables that the next C++ block does not have; rows of what there is not say "none"."""
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        block = next((b[2] for b in FENCE.finditer(section) if b[1].strip() == "cpp"), "")
        used = set(re.findall(r"\w+", block)) | PLACEHOLDERS
        for row in re.findall(r"^\| (.*) \|$", section, re.MULTILINE)[1:]:
            shown = row.split(" | ")[1]
            code = " ".join(CODE.findall("" if shown.startswith("none") else shown))
            while "(" in code:
                code, before = re.sub(r"\([^()]*\)", " ", code), code
                if code == before:
                    break
            yield from (f"`{name}` of '{row}'" for name in re.findall(r"[A-Za-z_]\w+", code) if name not in used)


def pattern(line):
    return ".*".join(re.escape(part) for part in line.split("..."))


def same(text, printed):
    return re.fullmatch("\n".join(pattern(line) for line in text.split("\n")), printed) is not None


def says(text, printed):
    """Whether each line of the text is in a line of what was printed, in this order."""
    lines = iter(printed.splitlines())
    return all(any(re.search(pattern(wanted.strip()), line) for line in lines) for wanted in text.splitlines())


def self_test():
    text = ("# x\n\n```cpp\nint main() {}\n```\n\nIt prints\n\n```text\nhello\n```\n\n<!-- compile only -->\n```cpp\nint main() { }\n```\n"
            "\n```sh\nmake\n```\n<!-- run: -n 'a b' -->\n```cpp\nint main(int) {}\n```\n<!-- not compiled: a part -->\n```cpp\nf();\n```\n")
    found = programs(text)
    assert [p.line for p in found] == [4, 15, 23, 27], [p.line for p in found]
    assert [p.output for p in found] == ["hello\n", None, None, None]
    assert [p.run for p in found] == [True, False, True, False]
    assert [p.compiled for p in found] == [True, True, True, False]
    assert found[2].arguments == ["-n", "a b"]
    assert [p.changes for p in found] == [[], [], [], []]
    text = ("```cpp\nint main() { f(); }\n```\n```text\nfine\n```\nWith `g();` in\nplace of `f();` it says\n```text\nat ...: wrong\n```\n"
            "Without\n`f();`:\n```text\nnothing\n```\n```sh\nx\n```\n")
    found = programs(text)
    assert [(c.line, c.old, c.new, c.says) for c in found[0].changes] == [
        (10, "f();", "g();", "at ...: wrong\n"), (15, "f();", "", "nothing\n")]
    text = ("## x\n| a | b |\n|---|---|\n| `f` | `co_await g(k(h))`, `no()` | |\n| `i` | none: `j` |\n```cpp\nint main() { g(); }\n```\n")
    assert [name.split()[0] for name in unused(text)] == ["`no`"]
    assert same("a ... c\n", "a b c\n") and not same("a ... c\n", "a b c d\n") and not same("a ... c\n", "a b\n c\n")
    assert says("one\nth...e\n", "one\ntwo\nthree\n") and not says("three\none\n", "one\ntwo\nthree\n")
    assert not list(programs("# nothing\n\n```text\nint main() {}\n```\n"))
    print("self-test passed")


def flags_of(build):
    """What a user would ask pkg-config for, from the build folder."""
    return subprocess.run(["pkg-config", "--static", "--cflags", "--libs", "ringlet"], check=True, capture_output=True, text=True,
                          env={"PKG_CONFIG_PATH": str(build.folder / "meson-uninstalled"), "PATH": "/usr/bin:/bin"}).stdout.split()


def compile_program(build, text, line, name, code, flags, folder):
    """What the compiler says of the program, which it may not have made. Known still when neither it nor the library is newer."""
    source, binary, answer = folder / f"{name}.cpp", folder / name, folder / f"{name}.said"
    code = f'#line {line} "{text}"\n{code}'
    library = next(build.folder.glob("runtime/libringlet.*"), None)
    if library and source.is_file() and source.read_text(encoding="utf-8") == code and answer.is_file() \
            and answer.stat().st_mtime > library.stat().st_mtime:
        return answer.read_text(encoding="utf-8"), binary
    answer.unlink(missing_ok=True)
    binary.unlink(missing_ok=True)
    source.write_text(code, encoding="utf-8")
    done = subprocess.run([build.compiler, "-std=c++20", "-Wall", "-Wextra", *build.sanitizer_flags(), source, "-o", binary, *flags],
                          capture_output=True, text=True, check=False)
    said = done.stderr or ("" if done.returncode == 0 else "the compiler failed")
    answer.write_text(said, encoding="utf-8")
    return said, binary


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@functools.cache
def site():
    """The URL of a web server that has three files; it ends with this program."""
    files = tempfile.TemporaryDirectory()
    for name in ("one.txt", "two.txt", "three.txt"):
        (pathlib.Path(files.name) / name).write_text("content\n", encoding="utf-8")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=files.name))
    server.files = files
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def run(binary, arguments, **streams):
    """In a directory of its own, so that what it writes is nobody's."""
    arguments = [argument.replace("{site}", site()) if "{site}" in argument else argument for argument in arguments]
    with tempfile.TemporaryDirectory() as here:
        return subprocess.run([binary.resolve(), *arguments], text=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
                              cwd=here, **streams)


def build_and_run(build, text, program, flags, folder):
    place = f"{text}:{program.line}"
    complaint, binary = compile_program(build, text, program.line, f"{pathlib.Path(text).stem}-line{program.line}", program.code, flags, folder)
    if complaint:  # a README with warnings is no model
        return f"{place}: does not compile cleanly:\n{complaint}"
    if not program.run:
        return None
    try:
        done = run(binary, program.arguments, capture_output=True)
    except subprocess.TimeoutExpired:
        return f"{place}: did not end within {SECONDS} s"
    if done.returncode:
        return f"{place}: ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
    if program.output is not None and not same(program.output, done.stdout):
        return f"{place}: printed\n{done.stdout}and the text says\n{program.output}"
    return None


def try_change(build, text, program, change, flags, folder):
    place = f"{text}:{change.line}"
    if change.old not in program.code:
        return f"{place}: the program above does not have `{change.old}`"
    said, binary = compile_program(build, text, program.line, f"{pathlib.Path(text).stem}-line{change.line}",
                                   program.code.replace(change.old, change.new), flags, folder)
    if binary.is_file():
        try:
            said += run(binary, program.arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        except subprocess.TimeoutExpired:
            return f"{place}: with this change the program did not end within {SECONDS} s"
    if not says(change.says, said):
        return f"{place}: with this change it is said\n{said}and the text says\n{change.says}"
    return None


def main():
    if sys.argv[1] == "--self-test":
        self_test()
        return 0
    build = compiling.Build(sys.argv[1])
    folder = build.folder / "tests" / "readme" / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    flags = flags_of(build)
    complaints, jobs, count = [], [], 0
    for text in TEXTS:
        content = (compiling.ROOT / text).read_text(encoding="utf-8")
        found = programs(content, text)
        if text == "docs/from-gevent.md":
            complaints += [f"{text}: no program uses {name}" for name in unused(content)]
        count += len(found)
        if not any(program.compiled for program in found):
            complaints.append(f"{text} shows no C++ program")
        for program in found:
            if program.compiled and not re.search(r"\bint main\(", program.code):
                complaints.append(f"{text}:{program.line}: no complete program; say why before it: <!-- not compiled: why -->")
            elif program.compiled:
                jobs.append((build_and_run, build, text, program, flags, folder))
                jobs += [(try_change, build, text, program, change, flags, folder) for change in program.changes]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints += pool.map(lambda job: job[0](*job[1:]), jobs)
    complaints = [complaint for complaint in complaints if complaint]
    for complaint in complaints:
        print(complaint)
    changes = sum(job[0] is try_change for job in jobs)
    print(f"{count} C++ blocks, {changes} changes of them, {len(complaints)} wrong")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
