# SPDX-License-Identifier: MIT
"""Planted traps: each bad snippet is refused, on the line marked BAD if one is; each good one is accepted."""

import unittest

from coroutines import check, markdown_code

TYPES = """
struct options { std::string name; int count = 0; };
struct limits { limits(int m) : max{m} {} int max; std::string why; };
struct numbers { int a; std::size_t b = 2; std::chrono::seconds c{}; };
struct base { explicit base(std::string); };
struct inherits : base { using base::base; };
class hidden { std::string s; };
template <typename T> struct pair_of { T first; T second; };
"""

BAD = {
    "if": "task<> f() { if (co_await g()) h(); }",
    "negated": "task<> f() { if (!co_await g()) { h(); } }",
    "comparison": "task<> f() { int n = 0; while ((n = co_await g()) > 0) h(n); }",
    "assignment": "task<> f() { int n; while (n = co_await g()) h(n); }",
    "member assignment": "task<> f() { while (x.n = co_await g()) h(); }",
    "switch": "task<> f() { switch (co_await g()) { default: break; } }",
    "do while": "task<> f() { do { h(); } while (co_await g()); }",
    "for condition": "task<> f() { for (int i = 0; i < co_await g(); ++i) h(); }",
    "if with initialiser": "task<> f() { if (auto x = g(); co_await x.next()) h(); }",
    "in an argument of the condition": "task<> f() { if (h(1, co_await g())) i(); }",
    "conditional operator": "task<> f() { auto x = c ? co_await a() : b(); }",
    "conditional operator, second branch": "task<> f() { auto x = g(c ? a() : co_await b(), 1); }",
    "conditional argument with a literal": 'task<> f() { co_await g(c ? "index" : name + "/index"); }',
    "conditional argument of calls": "task<> f() { co_await g(c ? a() : b()); }",
    "conditional argument, one branch a name": "task<> f() { co_await g(x, c ? a : std::string(b)); }",
    "conditional argument of a name and a literal": 'task<> f() { co_await g(c ? a : "b"); }',
    "conditional argument that may be nothing": "task<> f() { co_await g(c ? a : std::nullopt); }",
    "conditional beside an await": "task<> f() { h(c ? a() : b(), co_await g()); }",
    "conditional after an await": "task<> f() { auto x = co_await g() ? a() : b(); }",
    "nested conditionals": "task<> f() { co_await g(c ? a : d ? b() : e); }",
    "conditional in a co_return": "task<T> f() { co_return h(c ? a() : b(), co_await g()); }",
    "braces of an object": "task<> f() { point p{co_await g(), 2}; }",
    "braces of an argument": "task<> f() { h({co_await g()}); }",
    "nested braces": "task<> f() { auto v = std::vector<int>{1, h(co_await g())}; }",
    "braces in a return": "task<point> f() { co_return point{.x = co_await g()}; }",
    "designated initialisers": "task<> f() { co_await g(unknown{.a = 1}); }",
    "bare braces": "task<> f() { co_await g(1, {2, 3}); }",
    "empty braces": "task<> f() { co_await g({}); }",
    "aggregate argument": TYPES + 'task<> f() { co_await g(options{"a", 1}); }',
    "aggregate in parentheses": TYPES + 'task<> f() { co_await g(options("a", 1)); }',
    "aggregate awaiter": TYPES + 'task<> f() { co_await options{"a"}; }',
    "aggregate template": TYPES + "task<> f() { auto x = co_await g(ns::pair_of<std::string>{a, b}); }",
    "aggregate beside": TYPES + "task<> f() { h(options{}, co_await g()); }",
    "std::array": "task<> f() { co_await g(std::array<std::string, 2>{a, b}); }",
    "aggregate in co_yield": TYPES + 'generator f() { co_yield options{"a"}; }',
    "owning lambda": "task<> f() { co_await g([x = std::move(y)] { return x; }); }",
    "copying lambda": "task<> f() { co_await g([x] { return x; }); }",
    "copying default": "task<> f() { co_await g([=]() mutable -> int { return x; }); }",
    "copies this": "task<> f() { co_await g([*this] { return x; }); }",
    "second capture owns": "task<> f() { auto r = co_await g(1, [&a, b](auto c) { return c; }); }",
    "lambda after a block": "task<> f() { if (a) { h(); } co_await g([x] { return x; }); }",
    "CHECK": "task<> f() { CHECK(co_await g() == 1); }",
    "REQUIRE_THROWS_AS": "task<> f() { REQUIRE_THROWS_AS(co_await g(), error); }",
    "inside a lambda": "auto l = [](int a) -> task<> { if (co_await g(a)) h(); };",
    "in a member function": "struct s { task<> f() { if (co_await g()) h(); } };",
    "else branch of the preprocessor": "#if A\nint a;\n#else\ntask<> f() { if (co_await g()) h(); }\n#endif\n",
    "first branch of the preprocessor": "#ifdef A\ntask<> f() { if (co_await g()) h(); }\n#else\nint a;\n#endif\n",
    "excuse without a reason": "task<> f() { if (co_await g()) h(); } // lint-ok:",
    "on its line": "task<> f() {\n    const int a = 1'000;\n    h(R\"x(\n)x\", 'c');\n    if (co_await g()) h();  // BAD\n}",
}

GOOD = {
    "declaration": "task<> f() { while (auto x = co_await g()) { h(x); } }",
    "const declaration": "task<> f() { if (const auto n = co_await g()) h(n); }",
    "qualified type": "task<> f() { while (const std::size_t n = co_await g(a, b)) h(n); }",
    "template type": "task<> f() { while (std::optional<std::pair<int, int>> n = co_await g()) h(*n); }",
    "reference": "task<> f() { if (auto&& n = co_await g()) h(n); }",
    "initialiser of an if": "task<> f() { if (auto n = co_await g(); n > 3) h(n); }",
    "initialiser of a for": "task<> f() { for (auto n = co_await g(); n > 0; --n) h(n); }",
    "bound first": "task<> f() { const bool ok = co_await g(); if (ok) { h(); } }",
    "awaited after a condition": "task<> f() { if (a) co_await g(); else co_await h(); }",
    "awaited condition in another coroutine": "task<> f() { if (run([]() -> task<bool> { co_return co_await g(); }())) h(); }",
    "the condition of a conditional": "task<> f() { const int x = co_await g() ? 1 : 2; }",
    "conditional inside an argument": "task<> f() { co_await g(c ? a : *b->c); }",
    "conditional before": "task<> f() { h(c ? a : b[i], co_await g()); }",
    "conditional of literals": 'task<> f() { co_await g(c ? "a" : "b", d ? -1 : 2); }',
    "conditional in another statement": "task<> f() { auto x = c ? a() : b(); co_await g(std::move(x)); }",
    "conditional in another coroutine": "task<> f() { run([]() -> task<> { co_await g(); }, c ? a() : b()); }",
    "function body without a semicolon": "task<> f() { while (auto x = co_await g()) { h(x); } }",
    "body of for": "task<> f() { for (;;) { co_await g(); } }",
    "type with a constructor": TYPES + "task<> f() { co_await g(limits{3}); }",
    "harmless aggregate": TYPES + "task<> f() { co_await g(numbers{1, 2}); }",
    "inherited constructor": TYPES + 'task<> f() { co_await g(inherits{"a"}); }',
    "class with hidden members": TYPES + "task<> f() { co_await g(hidden{}); }",
    "aggregate named first": TYPES + 'task<> f() { options o{"a", 1}; co_await g(std::move(o)); }',
    "aggregate declared in another statement": TYPES + 'task<> f() { co_await g(); options o{"a"}; h(options{"b"}); co_await g(); }',
    "aggregate in a nested block": TYPES + "task<> f() { if (auto a = co_await g()) { h(options{}); } }",
    "aggregate before a loop": TYPES + "task<> f() { for (auto& o : list) co_await g(o); }",
    "a type of the standard library": "task<> f() { co_await g(std::span{buffer}.first(3), std::chrono::seconds{1}); }",
    "referring lambda": "task<> f() { co_await g([&] { return x; }, [&a, this] { return a; }, [] { return 1; }); }",
    "index": "task<> f() { co_await g(a[i], b()[j]); }",
    "structured binding": "task<> f() { auto [a, b] = co_await g(); auto& [c, d] = e; }",
    "attribute": "task<> f() { [[maybe_unused]] const auto a = co_await g(); }",
    "owning lambda that is awaited inside": "void f() { run([x]() -> task<> { co_await g(x); }); }",
    "Catch around a loop": "void f() { CHECK(run([]() -> task<int> { co_return co_await g(); }()) == 1); }",
    "Catch on a name": "task<> f() { const auto n = co_await g(); CHECK(n == 1); REQUIRE(n < 2); }",
    "comment": "task<> f() { /* if (co_await g()) */ h(); } // CHECK(co_await g())",
    "string": 'void f() { h("if (co_await g())", R"(CHECK(co_await x))"); }',
    "macro": "#define AWAIT(x) \\\n    if (co_await x) h()\nint a;",
    "excused": "task<> f() {\n    // lint-ok: g is trivially destructible\n    co_await g({1, 2});\n}",
    "excused on the line": "task<> f() { co_await g({1}); } // lint-ok: takes an int",
    "switch in a block": "task<> f() { switch (a) { case 1: co_await g(); break; default: co_await h(); } }",
    "try": "task<> f() { try { co_await g(); } catch (const error& e) { h(options{}); } }",
}


class Traps(unittest.TestCase):
    def test_bad_snippets_are_refused(self):
        for name, source in BAD.items():
            with self.subTest(name):
                found = check(source)
                self.assertTrue(found, source)
                marked = [n for n, line in enumerate(source.splitlines(), 1) if "BAD" in line]
                if marked:
                    self.assertEqual([line for line, _ in found], marked)

    def test_good_snippets_are_accepted(self):
        for name, source in GOOD.items():
            with self.subTest(name):
                self.assertEqual(check(source), [])

    def test_markdown_keeps_its_lines(self):
        text = "# title\n\n```cpp\ntask<> f() {\n    if (co_await g()) h();\n}\n```\n\n```sh\nif (co_await g())\n```\n"
        self.assertEqual([line for line, _ in check(markdown_code(text))], [5])


if __name__ == "__main__":
    unittest.main()
