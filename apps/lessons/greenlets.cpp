// SPDX-License-Identifier: MIT
// Greenlets: tasks that say themselves who is next.
//
// Python's greenlet has one operation, switch: "stop me here and let that one go on". Nobody in the
// middle decides, each hands over to the one it names; when it is switched to again, it goes on
// behind its own switch. gevent is built on it.
//
// In C++ a coroutine always goes back to the one who resumed it. So a switch is: yield the name of
// the next one, and a loop of four lines (people call it a trampoline) resumes that one.
//
// You will hardly ever do this by hand. Lesson spawn has what gevent made of it: you only say that
// you wait, and for what.

#include <ringlet/core/generator.hpp>

#include <fmt/core.h>

#include <map>
#include <string>

using greenlet = ringlet::generator<std::string>;  // yields whom to switch to

greenlet ping() {
    fmt::print("ping: to the other side\n");
    co_yield "pong";  // Python: pong.switch()
    fmt::print("ping: and once more\n");
    co_yield "pong";
    fmt::print("ping: I have had enough\n");
}

greenlet pong() {
    for (int i = 1;; ++i) {
        fmt::print("pong: and back, {}\n", i);
        co_yield "ping";
    }
}

// Switches until one of them has ended.
void switch_to(std::map<std::string, greenlet>& greenlets, std::string next) {
    while (const auto whom = greenlets.at(next).next()) next = *whom;
}

int main() {
    std::map<std::string, greenlet> greenlets;
    greenlets.emplace("ping", ping());
    greenlets.emplace("pong", pong());
    switch_to(greenlets, "ping");
    fmt::print("ping has ended, and with it the game\n");
}
