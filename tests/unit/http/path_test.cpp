// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/http/path.hpp>
#include <ringlet/http/percent.hpp>

#include <string>
#include <string_view>

namespace http = ringlet::http;

TEST_CASE("request-targets become paths below the root", "[http][path]") {
    struct row {
        const char* target;
        const char* path;
        bool directory;
        const char* query = "";
    };
    for (const auto& r : {row{"/", "", true},
                          row{"/a", "a", false},
                          row{"/a/", "a", true},
                          row{"/a/b.txt", "a/b.txt", false},
                          row{"/a?b=c", "a", false, "b=c"},
                          row{"/?", "", true},
                          row{"/?a/../b", "", true, "a/../b"},
                          row{"/a%20b", "a b", false},
                          row{"/%C3%A4", "\xc3\xa4", false},
                          row{"/a+b", "a+b", false},
                          row{"/./a", "a", false},
                          row{"/a/.", "a", true},
                          row{"/a/./", "a", true},
                          row{"/a/../b", "b", false},
                          row{"/a/b/..", "a", true},
                          row{"/a/..", "", true},
                          row{"/a/b/../../c", "c", false},
                          row{"/%2e/a", "a", false},
                          row{"/a/%2E%2e/b", "b", false},
                          row{"/%252e%252e/a", "%2e%2e/a", false},
                          row{"/...", "...", false},
                          row{"/a.", "a.", false},
                          row{"HTTPS://h:8/a/", "a", true},
                          row{"http://h", "", true},
                          row{"http://h?x", "", true, "x"},
                          row{"/-rf", "-rf", false},
                          row{"/a;b=c", "a;b=c", false}}) {
        INFO(r.target);
        const auto got = http::clean_path(r.target);
        REQUIRE(got);
        CHECK(got->path == r.path);
        CHECK(got->directory == r.directory);
        CHECK(got->query == r.query);
    }
}

TEST_CASE("no target leads out of the root or means two things", "[http][path]") {
    for (const char* target : {"/..",
                               "/../a",
                               "/a/../../b",
                               "/%2e%2e",
                               "/%2e%2e/a",
                               "/.%2e/a",
                               "/a/%2e%2e/%2e%2e/b",
                               "/..%2fa",
                               "/%2fetc",
                               "/a%2Fb",
                               "//evil.com",
                               "//",
                               "/a//b",
                               "/a//",
                               "/a/..//b",
                               "/\\evil.com",
                               "/a\\..\\b",
                               "/%5c",
                               "/%5Cevil",
                               "/a%",
                               "/a%2",
                               "/%zz",
                               "/%00",
                               "/a%00.txt",
                               "",
                               "a",
                               "*",
                               "../a",
                               "http:///a",
                               "http://",
                               "ftp://h/a",
                               "file:///etc/passwd",
                               "://h/a",
                               "http://h//a",
                               "h:80"}) {
        INFO(target);
        CHECK_FALSE(http::clean_path(target));
    }
    CHECK_FALSE(http::clean_path("/" + std::string(256, 'a')));
    CHECK(http::clean_path("/" + std::string(255, 'a')));
    std::string deep;
    for (int i = 0; i < 3000; ++i) deep += "/a";
    CHECK_FALSE(http::clean_path(deep));
}

TEST_CASE("overlong UTF-8 is bytes of a name, not a dot or a slash", "[http][path]") {
    const auto got = http::clean_path("/%c0%ae%c0%ae%c0%afetc");
    REQUIRE(got);
    CHECK(got->path ==
          "\xc0\xae\xc0\xae\xc0\xaf"
          "etc");
}

TEST_CASE("dotfiles are told apart", "[http][path]") {
    CHECK(http::clean_path("/.git/config")->hidden);
    CHECK(http::clean_path("/a/.b")->hidden);
    CHECK(http::clean_path("/%2egit")->hidden);
    CHECK_FALSE(http::clean_path("/a.b/./c")->hidden);
    CHECK_FALSE(http::clean_path("/.git/../c")->hidden);
}

TEST_CASE("the slash redirect stays on this host", "[http][path]") {
    const auto redirect = [](const char* target) { return http::slash_redirect(*http::clean_path(target)); };
    CHECK(redirect("/a/b") == "/a/b/");
    CHECK(redirect("/a%20b?q=1") == "/a%20b/?q=1");
    CHECK(redirect("/evil.com/../x") == "/x/");
    CHECK(redirect("http://evil.com/x") == "/x/");
    CHECK(redirect("/%3Cb%3E") == "/%3Cb%3E/");
    CHECK(redirect("/") == "/");
}

TEST_CASE("percent-encoding is undone once and restored", "[http]") {
    CHECK(http::percent_decode("a%20b%2Fc") == "a b/c");
    CHECK(http::percent_decode("%252e") == "%2e");
    CHECK(http::percent_decode("a+b") == "a+b");
    for (const char* bad : {"%", "a%", "%4", "%g0", "%0g", "%%41"}) CHECK_FALSE(http::percent_decode(bad));
    CHECK(http::percent_encode("a b/\xc3\xa4<\">&'") == "a%20b%2F%C3%A4%3C%22%3E%26%27");
    CHECK(http::percent_encode_path("a b/c") == "a%20b/c");
}
