// SPDX-License-Identifier: MIT
// The warning that all cases about dropped values rest on is an error on both compilers.
// expect: write co_await before it
struct [[nodiscard("write co_await before it")]] operation {};

operation start() { return {}; }

void caller() {
#ifdef CONTROL
    [[maybe_unused]] const auto kept = start();
#else
    start();
#endif
}
