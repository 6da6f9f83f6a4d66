# SPDX-License-Identifier: MIT
"""Planted headers and tables: a missing row and a superfluous one are named, and what is no awaitable needs none."""

import pathlib
import tempfile
import unittest

import awaitables

LEAF = """
namespace ringlet {
template <class Derived, class T>
class leaf {
public:
    bool begin(detail::job_block& job);
    T resume(detail::job_block& job);
};
template <class T>
class task {
public:
    bool begin(detail::job_block& job);
    T resume(detail::job_block& job);
};
namespace detail {
class nap final : public leaf<nap, void> {
public:
    explicit nap(int n) noexcept : n_{n} {}
    bool start(job_block& job);
};
template <class A>
struct adapter {
    bool begin(job_block& job);
    int resume(job_block& job);
};
}  // namespace detail
"""

# what a header declares: the awaitables that are in it
AWAITABLES = {  # `task` itself apart
    "task<> serve(int port);": {"serve(int)"},
    "task<std::optional<std::pair<int, int>>> next();": {"next()"},
    "inline auto nap(int n) noexcept { return detail::nap{n}; }": {"nap(int)"},
    "inline detail::nap nap(const duration& for_how_long = duration());": {"nap(const duration&)"},
    "template <class A> requires(is_awaitable<A> && ...) && (sizeof...(A) > 0) task<result<A...>> all(A... those) {": {"all(A...)"},
    "template <class A> requires is_awaitable<A> auto limit(A a) noexcept { return detail::adapter<A>{std::move(a)}; }": {"limit(A)"},
    "auto outer() { return inner(1); } auto inner(int x) { return detail::nap{x}; }": {"outer()", "inner(int)"},
    "auto f(bool b) { if (b) return detail::nap{1}; return detail::nap{2}; }": {"f(bool)"},
    "auto f() -> task<int>;": {"f()"},
    "class s { task<> hidden(); public: task<int> read(std::span<std::byte> into); task<> read(); private: task<> more(); };":
        {"s::read(std::span<std::byte>)", "s::read()"},
    "struct s { s(int a) noexcept : a_{a}, b_(a) {} task<> go(int x = f(1, 2)) &&; int a_, b_; };": {"s::go(int)"},
    "class s { struct in; class wait final : public leaf<wait, int> {}; public: auto next() noexcept { return wait{p.get()}; } };":
        {"s::next()"},
    "class nap_op final : public leaf<nap_op, void> { public: bool start(job_block& job); };": {"nap_op"},
    "namespace net { task<> go(); } namespace os { using net::go; }": {"net::go()", "os::go()"},
    "[[nodiscard]] static task<> made();": {"made()"},
    "task<>& same(task<>& one); void take(task<> one); job<int> spawn_it(); std::vector<task<>> many();": set(),
    "namespace detail { task<> inner(); } namespace { task<> anonymous(); }": set(),
    "template <class T> task<T> promise<T>::get() noexcept {}": set(),
    "struct t { bool operator==(const t&) const; operator task<>() const; }; std::size_t n = f(); enum class e { task };": set(),
}


class Table(unittest.TestCase):
    def tree(self, header, table, umbrella="#include <ringlet/core/a.hpp>\n", name="core/a.hpp"):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        root = pathlib.Path(self.folder.name)
        (root / "runtime/ringlet" / name).parent.mkdir(parents=True)
        (root / "runtime/ringlet" / name).write_text(LEAF + header + "\n}  // namespace ringlet\n", encoding="utf-8")
        (root / "runtime/ringlet/ringlet.hpp").write_text(umbrella, encoding="utf-8")
        (root / "tests/sim/awaitables").mkdir(parents=True)
        text = "".join(f'    {{"{row}", &scenario}},\n' for row in ["task", *table])
        (root / "tests/sim/awaitables/core.cpp").write_text(text, encoding="utf-8")
        return root

    def test_finds_awaitables_and_nothing_else(self):
        for header, names in AWAITABLES.items():
            with self.subTest(header=header):
                header += "}" if header.count("{") > header.count("}") else ""
                self.assertEqual(set(awaitables.exported(self.tree(header, []))[0]), names | {"task"})
                self.assertEqual(awaitables.check(self.tree(header, names)), [])

    def test_a_missing_row_is_named_with_its_place(self):
        (complaint,) = awaitables.check(self.tree("task<> a();\ntask<> b();", ["a()"]))
        self.assertRegex(complaint, r"^runtime/ringlet/core/a.hpp:\d+: b\(\) has no row")

    def test_an_overload_without_a_row_is_missing(self):
        (complaint,) = awaitables.check(self.tree("task<> a(); task<> a(int n);", ["a()"]))
        self.assertIn("a(int) has no row", complaint)

    def test_a_superfluous_row_is_named_with_its_place(self):
        (complaint,) = awaitables.check(self.tree("task<> a();", ["a()", "gone()"]))
        self.assertEqual(complaint, "tests/sim/awaitables/core.cpp:3: no header exports gone()")

    def test_what_the_simulation_cannot_run_needs_no_row_and_has_none(self):
        excused = {"b()": "there is no such thing in the simulation"}
        tree = self.tree("task<> a();\ntask<> b();", ["a()"])
        self.assertEqual(awaitables.check(tree, excused), [])
        (complaint,) = awaitables.check(self.tree("task<> a();\ntask<> b();", ["a()", "b()"]), excused)
        self.assertIn("b() is in NOT_SIMULATED", complaint)
        (complaint,) = awaitables.check(self.tree("task<> a();", ["a()"]), excused)
        self.assertIn("b() is in NOT_SIMULATED", complaint)

    def test_what_cannot_be_told_is_refused(self):
        (complaint,) = awaitables.check(self.tree("auto f() { return unknown(1); }", []))
        self.assertIn("cannot be told", complaint)

    def test_an_awaitable_is_in_the_umbrella(self):
        complaints = awaitables.check(self.tree("task<> a();", ["a()"], umbrella=""))
        self.assertEqual(len(complaints), 2)  # the task, too
        self.assertIn("include ringlet/core/a.hpp there", complaints[0])

    def test_detail_and_testing_are_left_out(self):
        for name in ("core/detail/a.hpp", "testing/a.hpp"):
            (complaint,) = awaitables.check(self.tree("task<> a();", [], name=name))
            self.assertIn("no header exports task", complaint)

    def test_the_real_table_without_a_row_is_refused(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        wanted, _ = awaitables.exported(root)
        self.assertGreater(len(wanted), 100)
        for name in ("task", "io::recv_op", "net::tcp_stream::send_all(std::span<iovec>)", "first_of(A...)", "joinall(Jobs&, const join_options&)"):
            self.assertIn(name, wanted)


if __name__ == "__main__":
    unittest.main()
