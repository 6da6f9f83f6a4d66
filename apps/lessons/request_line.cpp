// SPDX-License-Identifier: MIT
// The HTTP request line: what a browser asks for, taken apart with a regular expression.
//
// A browser that is to show http://127.0.0.1:8080/news/today.html sends lines of text, each of
// which ends with \r\n:
//
//     GET /news/today.html HTTP/1.1        the request line: method, target, version
//     Host: 127.0.0.1:8080                 header fields, "name: value"
//                                          an empty line: the end
//
// The server needs the path out of the first line. A careless expression finds one in anything that
// looks a bit like it; this one says exactly what a request line is, and refuses everything else
// (the answer is then "400 Bad Request").
//
// The class regex is that of lesson regex-match. A real server does not do it so: ringlet-serve has
// a parser that also knows what attackers send.

#include "lessons/regex.hpp"

#include <fmt/core.h>

#include <string>

using lessons::regex;

std::string file_for(const std::string& path) { return path == "/" ? "/index.html" : path; }

int main() {
    // A method is capital letters; the path begins with a slash and has no space; ?query is optional.
    const regex request_line{
        R"((?P<method>[A-Z]+) (?P<path>/[^ ?]*)(?:\?(?P<query>[^ ]*))? HTTP/1\.(?P<minor>[01])\r\n)"};

    const char* const request = "GET /news/today.html?page=2 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
    if (const auto found = request_line.match(request))
        fmt::print("method {}, path {}, query {}, version 1.{}\n", found->group("method"), found->group("path"),
                   found->group("query"), found->group("minor"));

    for (const char* line : {"GET / HTTP/1.1\r\n", "POST /form HTTP/1.0\r\n", "get / HTTP/1.1\r\n",
                             "GET /a b HTTP/1.1\r\n", "GET news.html HTTP/1.1\r\n", "hello\r\n"}) {
        const auto found = request_line.match(line);
        const std::string shown = std::string{line}.substr(0, std::string{line}.size() - 2);  // without \r\n
        fmt::print("{:24} -> {}\n", shown, found ? file_for(found->group("path")) : "400 Bad Request");
    }
}
