# SPDX-License-Identifier: MIT
"""Every awaitable that the headers export has a row in tests/sim/awaitables/, and every row an awaitable.

usage: awaitables.py [ROOT]

A function is one when it returns a task or an awaiter; a class when it is one. Not those of detail/, testing/ and the
namespaces called detail, nor what is private; nor what NOT_SIMULATED excuses. What a function with `auto` gives is read from its return statement; where that
cannot be told, this fails, and NO_AWAITABLES is the place to say so.
"""

import pathlib
import re
import sys

from tokens import Code

BASES = {"leaf", "operation", "repeated_operation"}
# Functions with `auto` that give something else.
NO_AWAITABLES = {"spawn", "yield_from", "pool::try_spawn", "pool::apply_async", "pool::imap_unordered", "os::process_pool::apply_async", "spawn_later", "iwait", "task_group::spawn", "run", "arguments::begin", "arguments::end"}
# Functions with `auto` that give an awaiter, of a template that is not seen through.
AWAITABLES = {"with_timeout", "with_deadline", "move_on_after", "move_on_at"}
# What the simulation cannot run, and why. Each is cancelled on the real engines, in tests/unit/os.
NOT_SIMULATED = {
    "os::child::join()": "waits for a process, and the simulated kernel has one only",
    "os::popen::communicate(std::string, std::size_t)": "as child::join",
    "os::process_pool::map(Items&&)": "as child::join",
    "os::process_pool::join()": "as child::join",
    "os::thread::join()": "waits for a thread, which knows nothing of virtual time",
}
KEYWORDS_BEFORE_PAREN = {"requires", "noexcept", "decltype", "alignas", "sizeof", "explicit", "if", "while", "for", "switch", "return"}
SPECIFIERS = {"static", "inline", "constexpr", "virtual", "explicit", "friend", "const", "extern"}
ROW = re.compile(r'\{("[^"]+"(?:\s*"[^"]+")*),\s*&\w+\}')
INCLUDE = re.compile(r"^\s*#\s*include\s*<(ringlet/[^>]+)>", re.MULTILINE)


class Function:
    def __init__(self, scope, name, parameters, result, body, place, hidden):
        self.scope, self.name, self.parameters, self.result = scope, name, parameters, result
        self.body, self.place, self.hidden = body, place, hidden

    def qualified(self):
        return "::".join([*self.scope, self.name])


def joined(texts):
    out = ""
    for text in texts:
        if out and (out[-1].isalnum() or out[-1] == "_") and (text[0].isalnum() or text[0] == "_"):
            out += " "
        elif out and out[-1] in ">" and (text[0].isalpha() or text[0] == "_"):
            out += " "
        out += ", " if text == "," else text
    return out


def split_at_commas(texts):
    pieces, depth = [[]], 0
    for text in texts:
        depth += text in ("<", "(", "{", "[")
        depth -= text in (">", ")", "}", "]")
        if text == "," and depth == 0:
            pieces.append([])
        else:
            pieces[-1].append(text)
    return [piece for piece in pieces if piece]


def type_of(parameter):
    if "=" in parameter:
        parameter = parameter[: parameter.index("=")]
    is_word = len(parameter) > 1 and re.fullmatch(r"\w+", parameter[-1])
    if is_word and parameter[-2] != "::" and parameter[:-1] != ["const"]:
        parameter = parameter[:-1]
    return joined(parameter)


class Header(Code):
    """What a header declares: classes with their bases, and functions."""

    def __init__(self, path, place):
        super().__init__(path.read_text(encoding="utf-8"))
        self.place = place
        self.classes = {}  # name: is it an awaitable?
        self.public_classes = []
        self.functions = []
        self.aliases = []  # of `using io::offload;`
        self.scan(0, len(self.tokens), [], False, None)

    def texts(self, begin, end):
        return [token.text for token in self.tokens[begin:end]]

    def after_angles(self, index):
        """The index behind the `<...>` that begins here."""
        depth = 0
        while index < len(self.tokens):
            text = self.text(index)
            if text in ("(", "[", "{"):
                index = self.end_of(index)
            depth += text == "<"
            depth -= text == ">"
            index += 1
            if depth == 0:
                break
        return index

    def scan(self, index, end, scope, hidden, members, private=False):
        """`members`: the names of a class's functions are noted there; None outside of classes."""
        while index < end:
            text = self.text(index)
            if text in ("public", "private", "protected") and self.text(index + 1) == ":":
                private = text != "public"
                index += 2
            elif text == "template":
                index = self.after_angles(index + 1)
            elif text == "namespace" and self.text(index + 1) != "=":
                index = self.scan_namespace(index, scope, hidden)
            elif text in ("class", "struct", "union"):
                index = self.scan_class(index, end, scope, hidden or private)
            elif text in ("using", "typedef", "static_assert", "friend", "enum"):
                index = self.scan_other(index, end, scope, hidden or private)
            else:
                index = self.scan_declaration(index, end, scope, hidden or private, members)

    def scan_namespace(self, index, scope, hidden):
        brace = index
        while self.text(brace) not in ("{", ";"):
            brace += 1
        if self.text(brace) == ";":
            return brace + 1
        names = [text for text in self.texts(index + 1, brace) if text not in ("::", "inline")]
        outermost = self.parent[index] < 0
        inner = names[1:] if outermost else [*scope, *names]
        hidden = hidden or (outermost and names[:1] != ["ringlet"])
        self.scan(brace + 1, self.end_of(brace), inner, hidden or not names or "detail" in names, None)
        return self.end_of(brace) + 1

    def scan_class(self, index, end, scope, hidden):
        begin = index
        while index < end and self.text(index) not in ("{", ";", "("):
            index = self.end_of(index) + 1 if self.text(index) == "[" else index + 1
        if self.text(index) == "(":  # struct statx& f(...)
            return self.scan_declaration(begin + 1, end, scope, hidden, None)
        if self.text(index) != "{":
            return index + 1
        head, skip = [], 0
        for at in range(begin + 1, index):
            if at < skip:
                continue
            if self.text(at) == "[":
                skip = self.end_of(at) + 1
                continue
            head.append(self.text(at))
        colon = head.index(":") if ":" in head else len(head)
        name = head[0] if head else ""
        specialised = "<" in head[:colon]
        members = []
        inner_hidden = hidden or specialised or name == ""
        before = len(self.functions)
        self.scan(index + 1, self.end_of(index), [*scope, name], inner_hidden, members,
                  private=self.text(begin) == "class")
        protocol = "begin" in members and "resume" in members and "job_block" in self.texts(index, self.end_of(index))
        awaitable = bool(BASES & set(head[colon:])) or protocol
        self.classes[name] = self.classes.get(name, False) or awaitable
        if awaitable and not inner_hidden and name not in BASES:
            self.public_classes.append("::".join([*scope, name]))
        if awaitable:  # what it has in it is the protocol's
            for function in self.functions[before:]:
                function.hidden = True
        index = self.end_of(index) + 1
        while index < end and self.text(index) != ";":
            index += 1
        return index + 1

    def scan_other(self, index, end, scope, hidden):
        begin = index
        while index < end and self.text(index) not in (";", "{"):
            index += 1
        if self.text(index) == "{":
            closed = self.end_of(index) + 1
            friend = self.text(begin) == "friend"
            return closed if friend else closed + (self.text(closed) == ";")
        if self.text(begin) == "using" and "=" not in self.texts(begin, index) and "namespace" not in self.texts(begin, index):
            self.aliases.append((scope, self.text(index - 1), joined(self.texts(begin + 1, index)), hidden))
        return index + 1

    def scan_declaration(self, begin, end, scope, hidden, members):
        index, paren, assigned = begin, -1, False
        while index < end and self.text(index) not in (";", "{"):
            text = self.text(index)
            if text == "(":
                before = self.tokens[index - 1]
                good = before.kind == "word" and before.text not in KEYWORDS_BEFORE_PAREN and self.text(index - 2) != "..."
                if paren < 0 and not assigned and good and index > begin:
                    paren = index
                index = self.end_of(index)
            elif text == "[":
                index = self.end_of(index)
            elif text == "operator" and paren < 0:
                assigned = True
            elif text == "=" and paren < 0:
                assigned = True
            index += 1
        body = (index, self.end_of(index)) if index < end and self.text(index) == "{" else None
        if paren > 0:
            self.add_function(begin, paren, index, scope, hidden, members, body)
        return (body[1] if body else index) + 1

    def add_function(self, begin, paren, end, scope, hidden, members, body):
        name = self.text(paren - 1)
        if members is not None:
            members.append(name)
        if self.text(paren - 2) in ("::", "~"):
            return  # the definition of what a class declares
        result = self.texts(begin, paren - 1)
        closing = self.end_of(paren)
        parameters = ", ".join(type_of(p) for p in split_at_commas(self.texts(paren + 1, closing)))
        tail = self.texts(closing + 1, end)
        if result[-1:] == ["auto"] and "->" in tail:
            result = tail[tail.index("->") + 1 :]
        if result and not set(result) <= SPECIFIERS:
            place = f"{self.place}:{self.tokens[paren].line}"
            self.functions.append(Function(scope, name, parameters, result, body and self.texts(*body), place, hidden))


def last_name(texts):
    """The name of the class in a type, or of what a return expression makes or calls: `a::b<c>{...}` gives b."""
    if texts and texts[-1] == ">":
        depth = 0
        for index in range(len(texts) - 1, -1, -1):
            depth += texts[index] == ">"
            depth -= texts[index] == "<"
            if depth == 0:
                return texts[index - 1]
    return texts[-1] if texts else ""


def made_in(body):
    """What the return statements of a body make or call."""
    for index, text in enumerate(body):
        if text not in ("return", "co_return"):
            continue
        end = index + 1
        depth = 0
        while end < len(body) and (depth > 0 or body[end] not in ("(", "{", ";")):
            depth += body[end] == "<"
            depth -= body[end] == ">"
            end += 1
        yield last_name(body[index + 1 : end])


def headers(root):
    runtime = root / "runtime"
    for path in sorted((runtime / "ringlet").rglob("*.hpp")):
        name = path.relative_to(runtime).as_posix()
        yield path, name, "/detail/" in name or "/testing/" in name


def reachable(root):
    seen, todo = set(), ["ringlet/ringlet.hpp"]
    while todo:
        name = todo.pop()
        path = root / "runtime" / name
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        todo += INCLUDE.findall(path.read_text(encoding="utf-8"))
    return seen


def exported(root):
    """({name: place} of each awaitable, complaints)."""
    all_headers = [(Header(path, f"runtime/{name}"), name, hidden) for path, name, hidden in headers(root)]
    classes = {name for header, _, _ in all_headers for name, awaitable in header.classes.items() if awaitable}
    functions = [(f, hidden) for header, _, hidden in all_headers for f in header.functions]
    givers = {f.name for f, _ in functions if last_name(f.result) == "task"}
    found, complaints, inside = {}, [], reachable(root)
    # Until nothing is added: one function returns what another gives.
    while True:
        more = {f.name for f, _ in functions if f.name not in givers and f.result[-1:] == ["auto"] and f.body
                and any(made in classes or made in givers for made in made_in(f.body))}
        if not more:
            break
        givers |= more
    for f, hidden in functions:
        if hidden or f.hidden:
            continue
        name, kind = f.qualified(), last_name(f.result)
        if kind == "auto" and f.name not in givers and name not in NO_AWAITABLES | AWAITABLES:
            complaints.append(f"{f.place}: what {name} gives cannot be told; see NO_AWAITABLES in {pathlib.Path(__file__).name}")
        if kind in classes or name in AWAITABLES or (kind == "auto" and f.name in givers and name not in NO_AWAITABLES):
            found.setdefault(f"{name}({f.parameters})", f.place)
    for header, name, hidden in all_headers:
        if hidden:
            continue
        for public in header.public_classes:
            found.setdefault(public, header.place)
    for header, _, hidden in all_headers:
        for scope, alias, target, private in header.aliases:
            for known in [k for k in found if k.startswith(target + "(")] if not (hidden or private) else []:
                found.setdefault("::".join([*scope, alias]) + known[len(target) :], header.place)
    for name, place in found.items():
        header = place.split(":")[0].removeprefix("runtime/")
        if header not in inside:
            complaints.append(f"{place}: {name} is not in ringlet.hpp: include {header} there")
    return found, complaints


def rows(root):
    """{name: place} of each row of the table."""
    found = {}
    for path in sorted((root / "tests/sim/awaitables").glob("*.cpp")):
        text = path.read_text(encoding="utf-8")
        for match in ROW.finditer(text):
            name = re.sub(r'"\s*"', "", match[1])[1:-1]  # a long one is a literal in pieces
            found[name] = f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start(1)) + 1}"
    return found


def check(root, excused=()):
    wanted, complaints = exported(root)
    table = rows(root)
    complaints += [f"{place}: {name} has no row in tests/sim/awaitables" for name, place in wanted.items() if name not in table and name not in excused]
    complaints += [f"{name} is in NOT_SIMULATED, and has a row or is not exported" for name in excused if name in table or name not in wanted]
    complaints += [f"{place}: no header exports {name}" for name, place in table.items() if name not in wanted]
    return complaints


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    if not (root / "runtime").is_dir():
        sys.exit(f"awaitables: {root} has no runtime/")
    complaints = check(root, NOT_SIMULATED)
    for complaint in complaints:
        print(complaint)
    print(f"{len(exported(root)[0])} awaitables, {len(rows(root))} rows, {len(NOT_SIMULATED)} not simulated, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
