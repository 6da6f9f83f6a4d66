# SPDX-License-Identifier: MIT
"""Makes of the lessons, which are whole programs, functions of one program, and lists them with their texts.

usage: embed.py lesson LESSON.cpp OUTPUT.cpp
       embed.py catalogue OUTPUT.cpp SOURCE...      in the order in which they are listed; a .hpp is shown, but no lesson

A lesson's includes stay where they are; all below them goes into a namespace of its own, where main() has another name.
"""

import pathlib
import re
import sys

MAIN = "int main() {"


def name_of(path):
    return path.stem.replace("_", "-")


def space_of(path):
    return f"lessons::lesson_{path.stem}"


def function(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    begin = max(number for number, line in enumerate(lines) if line.startswith("#include")) + 1
    body = "\n".join(lines[begin:])
    if body.count("\n" + MAIN) != 1:
        raise SystemExit(f"{path}: a lesson has one line that begins with '{MAIN}'")
    body = body.replace("\n" + MAIN, "\nvoid lesson_main() {")
    shown = f"apps/lessons/{path.name}"
    return "\n".join([f'#line 1 "{shown}"', *lines[:begin], f"namespace {space_of(path)} {{",
                      f'#line {begin + 1} "{shown}"', body.rstrip("\n"), f"}}  // namespace {space_of(path)}", ""])


def summary(path, text):
    found = re.match(r"// SPDX-License-Identifier: MIT\n// (.+)\n//\n", text)
    if not found:
        raise SystemExit(f"{path}: a lesson begins with the licence, one line that says what it is, and an empty comment line")
    return found[1]


def quoted(text):
    return f'R"~~~({text})~~~"'


def catalogue(paths):
    lessons = [path for path in paths if path.suffix == ".cpp"]
    out = ['#include "lessons/catalogue.hpp"', ""]
    out += [f"namespace {space_of(path)} {{ void lesson_main(); }}" for path in lessons]
    out += ["", "namespace lessons {", "", "const std::vector<lesson>& catalogue() {", "    static const std::vector<lesson> all{"]
    for path in lessons:
        text = path.read_text(encoding="utf-8")
        out.append(f"        {{{quoted(name_of(path))}, {quoted(summary(path, text))}, {quoted(text)}, &{space_of(path)}::lesson_main}},")
    out += ["    };", "    return all;", "}", "", "const std::vector<helper>& helpers() {",
            "    static const std::vector<helper> all{"]
    out += [f"        {{{quoted(path.name)}, {quoted(path.read_text(encoding='utf-8'))}}}," for path in paths if path.suffix == ".hpp"]
    out += ["    };", "    return all;", "}", "", "}  // namespace lessons", ""]
    return "\n".join(out)


def main():
    if sys.argv[1] == "lesson":
        source, output = map(pathlib.Path, sys.argv[2:4])
        output.write_text(function(source), encoding="utf-8")
    else:
        output, *sources = map(pathlib.Path, sys.argv[2:])
        output.write_text(catalogue(sources), encoding="utf-8")


if __name__ == "__main__":
    main()
