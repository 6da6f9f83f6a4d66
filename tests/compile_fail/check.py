# SPDX-License-Identifier: MIT
"""What must not compile does not, and the error says what to write instead; on every compiler that is here.

usage: check.py BUILD CASE.cpp
       check.py --listed CASE.cpp...        is every case in this folder one of those?

A case says in comments

    // expect: words              each line must be in the error; `expect-gcc:` and `expect-clang:` for one compiler
    // flags: -Wsomething         more compiler flags
    // only: clang (why)          the other compiler cannot refuse it

and holds `#ifdef CONTROL`: the same code as it should be written. That variant must compile, so that the other one fails
for the reason which it is meant to show.
"""

import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))
import compiling  # noqa: E402

COMPILERS = {"clang": ["clang++-19", "clang++"], "gcc": ["g++"]}
DIRECTIVE = re.compile(r"^//\s*(expect|expect-gcc|expect-clang|flags|only):\s*(.*?)\s*$", re.MULTILINE)


def compilers():
    for family, names in COMPILERS.items():
        found = next((name for name in names if shutil.which(name)), None)
        if found:
            yield family, found


def plain(text):
    """One line without the compilers' quotes, so that words can be looked for across line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"[‘’'`\"]", "", text))


def main():
    if sys.argv[1] == "--listed":
        folder = pathlib.Path(__file__).parent
        missing = {path.name for path in folder.glob("*.cpp")} - {pathlib.Path(name).name for name in sys.argv[2:]}
        for name in sorted(missing):
            print(f"{name} is not in meson.build, so nothing runs it")
        return 1 if missing else 0

    build, case = compiling.Build(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    text = case.read_text(encoding="utf-8")
    directives = DIRECTIVE.findall(text)
    flags = [flag for word, value in directives if word == "flags" for flag in value.split()]
    if "CONTROL" not in text or not any(word.startswith("expect") for word, _ in directives):
        print(f"{case.name}: needs `// expect:` and `#ifdef CONTROL`")
        return 1

    cache = compiling.Cache(build, f"fail-{case.stem}")
    complaints, used = [], []
    only = {value.split()[0] for word, value in directives if word == "only"}
    for family, compiler in compilers():
        if only and family not in only:
            continue
        used.append(compiler)
        command = [compiler, *build.portable_flags(), "-Wall", "-Wextra", "-Werror=unused-result", *flags, "-O0", "-c", "-o", "/dev/null"]
        (bad, error), (good, noise) = cache.compile_all([(command, case), ([*command, "-DCONTROL"], case)])
        if good:
            complaints.append(f"{compiler}: the control does not compile:\n{noise}")
        if not bad:
            complaints.append(f"{compiler}: compiles, and must not")
            continue
        for word, value in directives:
            if word in ("expect", f"expect-{family}") and plain(value) not in plain(error):
                complaints.append(f"{compiler}: the error does not say: {value}\n{error}")
    cache.save()
    for complaint in complaints:
        print(complaint)
    if not used:
        print(f"none of the compilers is here that can say it: {', '.join(sorted(only or COMPILERS))}")
        return 77
    print(f"{case.name}: {', '.join(used)}: {'wrong' if complaints else 'refused, with the words expected'}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
