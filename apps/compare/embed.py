# SPDX-License-Identifier: MIT
"""Puts the text of files into the program: of the models, which it shows, and of the page that it writes.

usage: embed.py OUTPUT.hpp SOURCE...      of a.cpp comes comparison::sources::a
"""

import pathlib
import sys


def main():
    output, *sources = map(pathlib.Path, sys.argv[1:])
    out = ["#pragma once", "", "#include <string_view>", "", "namespace comparison::sources {", ""]
    out += [f'inline constexpr std::string_view {path.stem} = R"~~~({path.read_text(encoding="utf-8")})~~~";' for path in sources]
    out += ["", "}  // namespace comparison::sources", ""]
    output.write_text("\n".join(out), encoding="utf-8")


if __name__ == "__main__":
    main()
