# SPDX-License-Identifier: MIT
"""As much of a C++ reader as a lint needs: tokens, brackets, lambdas, blocks. No preprocessor: it reads one branch of each #if."""

import dataclasses
import re

TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
    | (?P<raw>(?:u8|u|U|L)?R"(?P<delimiter>[^()\\\s]*)\(.*?\)(?P=delimiter)")
    | (?P<string>(?:u8|u|U|L)?"(?:\\.|[^"\\\n])*")
    | (?P<number>\.?\d(?:[eEpP][+-]|'?[\w.])*)
    | (?P<char>(?:u8|u|U|L)?'(?:\\.|[^'\\\n])+')
    | (?P<word>[A-Za-z_]\w*)
    | (?P<mark>\.\.\.|->\*|->|::|<=>|<<=|<<|==|!=|<=|>=|&&|\|\||\+\+|--|[-+*/%&|^]=|\#\#|[^\w\s])
    """,
    re.VERBOSE | re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w*)((?:\\\n|[^\n])*)", re.MULTILINE)
OK_MARK = re.compile(r"lint-ok:\s*\S")

STATEMENT_WORDS = {"if", "for", "while", "switch", "do", "try", "return", "co_return", "goto", "break", "continue", "case", "default"}
# After one of these words a `[` begins a lambda, not an index.
BEFORE_EXPRESSION = {"return", "co_return", "co_await", "co_yield", "throw", "case", "else", "do", "new", "delete", "and", "or", "not"}
OPEN, CLOSE = "([{", ")]}"


@dataclasses.dataclass
class Token:
    text: str
    kind: str
    line: int


def blank(text):
    """Spaces in place of the text, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", text)


def one_branch(source, want_else):
    """Blanks out directives, and of each #if ... #else ... #endif all but the first branch (or, with want_else, the last)."""
    out, begin, stack = [], 0, []  # stack: for each open #if, is the branch that we are in kept?
    hidden_raw = [match.span() for match in TOKEN.finditer(source) if match.lastgroup in ("comment", "raw") or match["raw"]]

    def visible(position):
        return not any(a < position < b for a, b in hidden_raw)

    for match in DIRECTIVE.finditer(source):
        if not visible(match.start(1) - 1):
            continue
        text = source[begin : match.start()]
        out.append(text if all(stack) else blank(text))
        out.append(blank(match[0]))
        begin = match.end()
        word = match[1]
        if word in ("if", "ifdef", "ifndef"):
            has_else = want_else and _has_else(source, match.end())
            stack.append(not has_else)
        elif word in ("else", "elif") and stack:
            stack[-1] = want_else and (word == "else")
        elif word == "endif" and stack:
            stack.pop()
    out.append(source[begin:])
    return "".join(out)


def _has_else(source, position):
    depth = 0
    for match in DIRECTIVE.finditer(source, position):
        if match[1] in ("if", "ifdef", "ifndef"):
            depth += 1
        elif match[1] == "endif":
            if depth == 0:
                return False
            depth -= 1
        elif match[1] == "else" and depth == 0:
            return True
    return False


class Lambda:
    def __init__(self, begin, captures, body, end):
        self.begin, self.captures, self.body, self.end = begin, captures, body, end

    def owns(self):
        """Does a capture copy or move something into the closure?"""
        for capture in self.captures:
            texts = [token.text for token in capture]
            if texts and texts[0] != "&" and texts != ["this"]:
                return True
        return False


class Code:
    """A source's tokens with the structure that the lints ask for; brackets are indices into `tokens`."""

    def __init__(self, source, want_else=False):
        self.tokens, self.excused = [], set()
        line = 1
        for match in TOKEN.finditer(one_branch(source, want_else)):
            kind = next(name for name in ("space", "comment", "raw", "string", "number", "char", "word", "mark") if match[name] is not None)
            if kind == "comment" and OK_MARK.search(match[0]):
                self.excused |= {line, line + 1}
            if kind not in ("space", "comment"):
                self.tokens.append(Token(match[0], kind, line))
            line += match[0].count("\n")
        self._match_brackets()
        self._find_lambdas()

    def text(self, index):
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def _match_brackets(self):
        self.partner, self.parent, stack = {}, [], []
        for index, token in enumerate(self.tokens):
            if token.kind == "mark" and token.text in CLOSE:
                want = OPEN[CLOSE.index(token.text)]
                while stack and self.tokens[stack[-1]].text != want:
                    stack.pop()
                if stack:
                    self.partner[stack[-1]] = index
                    self.partner[index] = stack.pop()
            self.parent.append(stack[-1] if stack else -1)
            if token.kind == "mark" and token.text in OPEN:
                stack.append(index)

    def end_of(self, bracket):
        return self.partner.get(bracket, len(self.tokens))

    def _find_lambdas(self):
        self.lambdas = {}  # index of `[`: Lambda
        self.bodies = set()  # the `{` of lambda bodies
        for index, token in enumerate(self.tokens):
            if token.text == "[" and token.kind == "mark" and self._may_begin_lambda(index):
                body = self._lambda_body(self.end_of(index) + 1)
                if body is not None:
                    captures = self.split(index + 1, self.end_of(index), ",")
                    self.lambdas[index] = Lambda(index, captures, body, self.end_of(body))
                    self.bodies.add(body)

    def _may_begin_lambda(self, index):
        if index == 0:
            return True
        before = self.tokens[index - 1]
        if before.text == "[" or self.text(index + 1) == "[":
            return False  # an attribute
        if before.text == "auto" or (before.text in ("&", "&&") and self.text(index - 2) == "auto"):
            return False  # a structured binding
        if before.kind == "word":
            return before.text in BEFORE_EXPRESSION
        return before.kind == "mark" and before.text not in (")", "]")

    def _lambda_body(self, index):
        angles, arrow = 0, False
        first = index
        while index < len(self.tokens):
            text = self.text(index)
            if text == "{":
                return index
            if text == "->":
                arrow = True
            if text == "<" and (arrow or index == first):
                angles += 1
            elif text == ">" and angles:
                angles -= 1
            elif text in ("(", "["):
                index = self.end_of(index)
            elif text in (";", ")", "]", "}", "=") or (text == "," and not angles):
                return None
            index += 1
        return None

    def level(self, begin, end):
        """Indices from begin to end that are not inside a bracket opened between them; brackets themselves are included."""
        index = begin
        while index < end:
            yield index
            if self.tokens[index].kind == "mark" and self.text(index) in OPEN:
                index = self.end_of(index)
                if index < end:
                    yield index
            index += 1

    def split(self, begin, end, separator):
        """The tokens between begin and end, split at the separators of this level."""
        pieces, start = [], begin
        for index in self.level(begin, end):
            if self.text(index) == separator:
                pieces.append(self.tokens[start:index])
                start = index + 1
        pieces.append(self.tokens[start:end])
        return pieces

    def is_block(self, brace):
        """Is this `{` a block of statements? A braced initialiser has neither `;` nor a statement on its own level."""
        if brace in self.bodies:
            return True
        return any(self.text(i) == ";" or self.text(i) in STATEMENT_WORDS for i in self.level(brace + 1, self.end_of(brace)))

    def is_control_paren(self, paren):
        before = self.text(paren - 1)
        return self.text(paren) == "(" and (
            before in ("if", "while", "for", "switch", "catch") or (before == "constexpr" and self.text(paren - 2) == "if"))

    def outside_lambdas(self, begin, end):
        """Indices from begin to end without the bodies of lambdas that lie between them."""
        index = begin
        while index < end:
            yield index
            index = self.end_of(index) if index in self.bodies else index
            index += 1
