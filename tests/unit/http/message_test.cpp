// SPDX-License-Identifier: MIT
#include "catch.hpp"
#include <ringlet/http/media_type.hpp>
#include <ringlet/http/message.hpp>

#include <string>

namespace http = ringlet::http;

TEST_CASE("fields keep their order and find names in any case", "[http]") {
    http::fields f;
    f.add("Host", "a").add("X-One", "1").add("x-one", "2");
    CHECK(f.size() == 3);
    CHECK(f.get("HOST") == "a");
    CHECK(f.get("X-ONE") == "1");
    CHECK(f.count("x-One") == 2);
    CHECK_FALSE(f.contains("X-On"));
    std::string order;
    for (const auto& [name, value] : f) order += std::string{name} + "=" + std::string{value} + ";";
    CHECK(order == "Host=a;X-One=1;x-one=2;");
}

TEST_CASE("setting a field replaces all of its name", "[http]") {
    http::fields f;
    f.add("A", "1").add("B", "2").add("a", "3").set("A", "4");
    CHECK(f.count("A") == 1);
    CHECK(f.get("a") == "4");
    CHECK(f.remove("b") == 1);
    CHECK(f.remove("b") == 0);
    CHECK(f.size() == 1);
    f.clear();
    CHECK(f.empty());
}

TEST_CASE("values are kept without the spaces around them", "[http]") {
    http::fields f;
    f.add("A", " \t x y\t ").add("B", "  ").add("C", "");
    CHECK(f.get("A") == "x y");
    CHECK(f.get("B") == "");
    CHECK(f.get("C") == "");
}

TEST_CASE("tokens are found in lists and over several fields", "[http]") {
    http::fields f;
    f.add("Connection", "Upgrade, ,keep-alive").add("connection", "CLOSE");
    CHECK(f.has_token("Connection", "upgrade"));
    CHECK(f.has_token("Connection", "close"));
    CHECK(f.has_token("Connection", "keep-alive"));
    CHECK_FALSE(f.has_token("Connection", "keep"));
    CHECK_FALSE(f.has_token("Other", "close"));
}

TEST_CASE("methods are known by their exact names", "[http]") {
    CHECK(http::method_from("GET") == http::method::get);
    CHECK(http::method_from("get") == http::method::other);
    CHECK(http::method_from("") == http::method::other);
    CHECK(http::to_string(http::method::delete_) == "DELETE");
    CHECK(http::to_string(http::method::other).empty());
}

TEST_CASE("status codes have their registered phrases", "[http]") {
    CHECK(http::reason_phrase(http::status::not_found) == "Not Found");
    CHECK(http::reason_phrase(http::status::request_header_fields_too_large) == "Request Header Fields Too Large");
    CHECK(http::reason_phrase(static_cast<http::status>(299)).empty());
    CHECK(http::is_interim(http::status::continue_));
    CHECK_FALSE(http::is_interim(http::status::ok));
}

TEST_CASE("media types go by the last extension", "[http]") {
    CHECK(http::media_type_for("index.html") == "text/html; charset=utf-8");
    CHECK(http::media_type_for("a/b.c/PHOTO.JPG") == "image/jpeg");
    CHECK(http::media_type_for("x.tar.gz") == "application/gzip");
    CHECK(http::media_type_for("app.webmanifest") == "application/manifest+json");
    CHECK(http::media_type_for("x.wasm") == "application/wasm");
    for (const char* unknown : {"", "noext", "x.", "dir.html/file", "x.verylongextension", "x.unknown"})
        CHECK(http::media_type_for(unknown) == "application/octet-stream");
}
