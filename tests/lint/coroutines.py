# SPDX-License-Identifier: MIT
"""Refuses what g++ 12 compiles to something else than what is written: see docs/compilers.md for each trap.

usage: coroutines.py [ROOT]

Reads runtime/, apps/, tests/ (without compile_fail/) and the C++ blocks of README.md and docs/. A line that is right all the
same can say so: `// lint-ok: why`.
"""

import pathlib
import re
import sys

from tokens import Code

AWAITS = {"co_await", "co_yield"}
CATCH_MACRO = re.compile(r"^(CHECK|REQUIRE)(_[A-Z_]+)?$|^(INFO|CAPTURE|UNSCOPED_INFO|WARN|FAIL|FAIL_CHECK|SUCCEED|STATIC_REQUIRE)$")
CPP_BLOCK = re.compile(r"^```(?:cpp|c\+\+|cxx)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Types whose destruction does nothing, so that destroying one twice does no harm.
TRIVIAL = set("""const constexpr volatile unsigned signed bool char short int long float double void auto std chrono byte size_t ssize_t
    ptrdiff_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t char8_t char16_t char32_t
    nanoseconds microseconds milliseconds seconds minutes hours string_view span errc source_location coroutine_handle""".split())
KNOWN_AGGREGATES = {"array"}


# --- which types are aggregates, as far as tokens tell -----------------------------------------------------------------

def has_constructor(code, name, begin, end):
    for index in code.level(begin, end):
        if code.text(index) == name and code.text(index + 1) == "(" and code.text(index - 1) != "~":
            return True
        if code.text(index) in ("private", "protected", "virtual"):
            return True
        if code.text(index) == "using" and code.text(index + 1) != "namespace":  # using base::base
            words = [t.text for t in code.tokens[index + 1 : index + 12]]
            if ";" in words:
                words = words[: words.index(";")]
            if "=" not in words and len(words) >= 3 and words[-1] in words[:-1]:
                return True
    return False


def data_members(code, begin, end):
    """The declarations of data members, each a list of token texts."""
    start = begin
    for index in code.level(begin, end):
        text = code.text(index)
        if text == "}" and code.is_block(code.partner[index]):
            start = index + 1  # a function's body
        elif text == ":" and code.text(index - 1) in ("public",):
            start = index + 1
        elif text == ";":
            words = [t.text for t in code.tokens[start:index]]
            start = index + 1
            if not words or words[0] in ("using", "typedef", "static", "friend", "template", "struct", "class", "enum", "static_assert"):
                continue
            declared = words[: min((words.index(mark) for mark in ("=", "{") if mark in words), default=len(words))]
            if "(" not in declared:
                yield declared


def is_trivial(member):
    """`std::size_t count`, `int* p`, `std::chrono::seconds timeout`: the last word is the name."""
    if "*" in member:
        return True
    words = [w for w in member if re.match(r"[A-Za-z_]", w)][:-1]
    return bool(words) and all(word in TRIVIAL for word in words)


def struct_kinds(code):
    """(name, harmful) for each struct: harmful if it is an aggregate whose destructor may do something."""
    for index, token in enumerate(code.tokens):
        if token.text not in ("struct", "class") or code.text(index - 1) == "enum":
            continue
        name = None
        for ahead in range(index + 1, min(index + 60, len(code.tokens))):
            text = code.text(ahead)
            if name is None and code.tokens[ahead].kind == "word" and text not in ("alignas", "final") and code.parent[ahead] == code.parent[index]:
                name = text
            if text in (";", "(", ")", ">", "=") and (name is None or code.text(ahead - 1) == name) and text != "(":
                break  # a declaration, a template parameter
            if text == "{":
                if name is not None and code.parent[ahead] == code.parent[index]:
                    end = code.end_of(ahead)
                    bases = ":" in [code.text(i) for i in code.level(index, ahead)]
                    members = list(data_members(code, ahead + 1, end))
                    aggregate = token.text == "struct" and not has_constructor(code, name, ahead + 1, end)
                    destructor = any(code.text(i) == "~" for i in code.level(ahead + 1, end))
                    yield name, aggregate and (bases or destructor or not all(is_trivial(m) for m in members))
                break


class Aggregates:
    """Names of aggregates: a file's own structs first, then those that are aggregates wherever they are defined."""

    def __init__(self, codes):
        everywhere = {}
        for code in codes:
            for name, harmful in struct_kinds(code):
                everywhere[name] = everywhere.get(name, True) and harmful
        self.shared = {name for name, harmful in everywhere.items() if harmful} | KNOWN_AGGREGATES

    def seen_from(self, code):
        own = {}
        for name, harmful in struct_kinds(code):
            own[name] = own.get(name, False) or harmful
        return {n for n in self.shared if own.get(n, True)} | {n for n, harmful in own.items() if harmful}


# --- the traps ------------------------------------------------------------------------------------------------------------

def awaits_in(code, begin, end):
    return [i for i in code.outside_lambdas(begin, end) if code.text(i) in AWAITS]


def is_declaration(tokens):
    """`const auto n = ...`, `std::optional<T> x = ...`, `auto [a, b] = ...`: two words at least, and nothing but a type before `=`."""
    words, depth = 0, 0
    previous = ""
    for position, token in enumerate(tokens):
        if token.text == "=" and depth == 0:
            return words >= 2 and position > 0 and (re.match(r"[A-Za-z_]", previous) is not None or previous == "]")
        if token.text == "[":
            depth += 1
        elif token.text == "]":
            depth -= 1
        elif token.kind == "word":
            words += depth == 0
            if token.text in AWAITS:
                return False
        elif token.kind != "number" and token.text not in ("::", "<", ">", ",", "&", "&&", "*"):
            return False
        elif position == 0 and token.text != "::":
            return False
        previous = token.text
    return False


def conditions(code):
    for paren, token in enumerate(code.tokens):
        if token.text != "(" or not code.is_control_paren(paren) or code.text(paren - 1) == "catch":
            continue
        end = code.end_of(paren)
        cuts = [paren] + [i for i in code.level(paren + 1, end) if code.text(i) == ";"] + [end]
        pieces = list(zip((cut + 1 for cut in cuts), cuts[1:]))
        if code.text(paren - 1) == "for":
            pieces = pieces[1:2]
        else:
            pieces = pieces[-1:]
        for begin, stop in pieces:
            found = awaits_in(code, begin, stop)
            if found and not is_declaration(code.tokens[begin:stop]):
                yield found[0], (f"{code.text(found[0])} in the condition of `{code.text(paren - 1)}`: bind the result first, "
                                 f"`const auto x = {code.text(found[0])} ...;`, or declare it in the condition")


def ternaries(code):
    for index, token in enumerate(code.tokens):
        if token.text != "?" or token.kind != "mark":
            continue
        parent = code.parent[index]
        end = code.end_of(parent) if parent >= 0 else len(code.tokens)
        stop = next((i for i in code.level(index + 1, end) if code.text(i) in (";", ",")), end)
        for found in awaits_in(code, index + 1, stop)[:1]:
            yield found, f"{code.text(found)} in a branch of `?:`: write if and else"


def makes_nothing(branches):
    """Two numbers, names, members or elements, or two string literals: as far as tokens tell, no temporary object."""
    if all(token.kind in ("string", "raw") for branch in branches for token in branch):
        return True
    return all(branch and branch[-1].text != "nullopt"
               and all(token.kind in ("word", "number", "char") or token.text in (".", "->", "::", "*", "-", "!", "[", "]") for token in branch)
               for branch in branches)


def conditional_results(code):
    for index, token in enumerate(code.tokens):
        if token.text != "?" or token.kind != "mark":
            continue
        begin, end = full_expression(code, index)
        if not awaits_in(code, begin, end):
            continue
        parent = code.parent[index]
        branches, start, depth = [], index + 1, 0
        for i in code.level(index + 1, code.end_of(parent) if parent >= 0 else len(code.tokens)):
            text = code.text(i)
            depth += {"?": 1, ":": -1}.get(text, 0)
            if text in (";", ",") or (depth < 0 and branches):
                break
            if depth < 0:
                branches.append(code.tokens[start:i])
                start, depth = i + 1, 0
        else:
            i = code.end_of(parent) if parent >= 0 else len(code.tokens)
        branches.append(code.tokens[start:i])
        if not makes_nothing(branches):
            yield index, "`?:` with a class as its result within a co_await expression: give the result a name first"


def braces(code):
    for index, token in enumerate(code.tokens):
        if token.text not in AWAITS:
            continue
        around = code.parent[index]
        while around >= 0:
            if code.text(around) == "{":
                if not code.is_block(around):
                    yield index, f"{token.text} inside a braced initialiser: bind the result to a name first"
                break
            around = code.parent[around]


def catch_macros(code):
    for index, token in enumerate(code.tokens):
        if token.kind == "word" and CATCH_MACRO.match(token.text) and code.text(index + 1) == "(":
            for found in awaits_in(code, index + 2, code.end_of(index + 1))[:1]:
                yield found, f"{code.text(found)} inside {token.text}: bind the result to a name, then check the name"


def full_expression(code, index):
    """(begin, end) of the expression statement, or of the part of a control statement's parentheses, that holds the token."""
    around = code.parent[index]
    while around >= 0 and not (code.text(around) == "{" and code.is_block(around)) and not code.is_control_paren(around):
        index, around = around, code.parent[around]
    begin, end = around + 1, code.end_of(around) if around >= 0 else len(code.tokens)
    for i in code.level(around + 1, end):
        if i >= index:
            break
        text = code.text(i)
        ends_statement = (
            text == ";" or text in ("else", "do")
            or (text == "}" and code.partner.get(i, -1) not in code.bodies and code.is_block(code.partner.get(i, 0)))
            or (text == ")" and code.is_control_paren(code.partner.get(i, 0))))
        if ends_statement:
            begin = i + 1
    stop = next((i for i in code.level(max(begin, index), end) if code.text(i) == ";"), end)
    return begin, stop


def type_before(code, bracket):
    """The last word of the type in `ns::type<...>{`, or None."""
    index = bracket - 1
    if code.text(index) == ">":
        depth = 0
        while index >= 0:
            depth += {">": 1, "<": -1}.get(code.text(index), 0)
            index -= 1
            if depth == 0:
                break
    if index < 0 or code.tokens[index].kind != "word":
        return None
    name = index
    while code.text(index - 1) == "::":
        index -= 2
    before = code.tokens[index - 1] if index > 0 else None
    if before and (before.kind == "word" and before.text not in ("return", "co_return", "co_await", "co_yield", "throw")
                   or before.text in (".", "->", ">", "&", "*", "&&") and (before.text in (".", "->") or code.text(bracket) == "(")):
        return None  # a declared name, a member
    return code.text(name)


def temporaries(code, aggregates):
    done = set()
    for index, token in enumerate(code.tokens):
        if token.text not in AWAITS:
            continue
        begin, end = full_expression(code, index)
        if begin in done:
            continue
        done.add(begin)
        for i in code.outside_lambdas(begin, end):
            text, before = code.text(i), code.text(i - 1)
            if i in code.lambdas and code.lambdas[i].owns():
                yield i, f"a lambda that owns its captures, made within a {token.text} expression: give it a name first, then std::move it"
            if code.tokens[i].kind != "mark" or text not in "{(" or i in code.bodies:
                continue
            if text == "{" and not code.is_block(i):
                if code.text(i + 1) == "." and code.tokens[i + 2].kind == "word" and before != "=":
                    yield i, f"an aggregate with designated initialisers within a {token.text} expression: give it a name first"
                    continue
                if before in ("(", ",", "co_await", "co_yield") and not is_lambda_list(code, i):
                    yield i, f"a braced argument within a {token.text} expression: name its type if that has a constructor, else give the value a name first"
                    continue
            name = type_before(code, i)
            if name in aggregates:
                yield i, f"the aggregate {name} made within a {token.text} expression: give it a name first, or the type a constructor"


def is_lambda_list(code, brace):
    return code.parent[brace] in code.lambdas  # an init-capture


def check(source, aggregates=None):
    """[(line, message)] of one source."""
    found = set()
    for want_else in (False, True):
        code = Code(source, want_else)
        known = (aggregates or Aggregates([code])).seen_from(code)
        for rule in (conditions, ternaries, conditional_results, braces, catch_macros):
            found |= {(code.tokens[i].line, message) for i, message in rule(code)}
        found |= {(code.tokens[i].line, message) for i, message in temporaries(code, known)}
        found = {(line, message) for line, message in found if line not in code.excused}
    return sorted(found)


def markdown_code(text):
    """The C++ blocks, at their own lines."""
    out, end = [], 0
    for match in CPP_BLOCK.finditer(text):
        out.append(re.sub(r"[^\n]", "", text[end : match.start(1)]))
        out.append(match[1])
        end = match.end(1)
    return "".join(out)


def read_all(root):
    for folder in ("runtime", "apps", "tests"):
        for path in sorted((root / folder).rglob("*.[hc]pp")):
            if "compile_fail" not in path.relative_to(root).parts:
                yield path, path.read_text(encoding="utf-8")
    for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        if path.is_file():
            yield path, markdown_code(path.read_text(encoding="utf-8"))


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = list(read_all(root))
    aggregates = Aggregates([Code(source) for path, source in files if path.suffix != ".md"])
    count = 0
    for path, source in files:
        for line, message in check(source, aggregates):
            print(f"{path.relative_to(root)}:{line}: {message}")
            count += 1
    print(f"{len(files)} files read, {count} traps found")
    return 1 if count or not files else 0


if __name__ == "__main__":
    sys.exit(main())
