// SPDX-License-Identifier: MIT
// Lists, digests and the names that servers give: pure, so every shape can be tried.
#include "catch.hpp"
#include "fetch/item.hpp"
#include "fetch/names.hpp"

#include <string>
#include <vector>

namespace {

const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

struct result_of_list {
    std::vector<fetch::item> items;
    std::string wrong;
};

result_of_list list(std::string_view text) {
    result_of_list all;
    all.wrong = fetch::read_list(text, all.items);
    return all;
}

}  // namespace

TEST_CASE("a line has a checksum, a URL and a name", "[fetch]") {
    const result_of_list all =
        list("# x\n\n \t\nhttp://a/b\r\n\thttp://a/c  two words \nsha256:" + abc + "\thttp://a/d\t#1\nhttp://a/e");
    CHECK(all.wrong.empty());
    REQUIRE(all.items.size() == 4);
    CHECK(all.items[0].url == "http://a/b");
    CHECK(all.items[0].name.empty());
    CHECK(!all.items[0].checksum);
    CHECK(all.items[1].name == "two words");
    CHECK(all.items[2].url == "http://a/d");
    CHECK(all.items[2].name == "#1");
    REQUIRE(all.items[2].checksum);
    CHECK(*all.items[2].checksum == apps::wanted_digest{apps::digest_algorithm::sha256, abc});
    CHECK(all.items[3].url == "http://a/e");
}

TEST_CASE("the first line that is wrong is told by its number", "[fetch]") {
    CHECK(list("").wrong.empty());
    CHECK(list("x").wrong.starts_with("line 1: x: "));
    CHECK(list("\n\nhttp://a/b\n  x y\nz").wrong.starts_with("line 4: x: "));
    CHECK(list("sha256:" + abc + " \n").wrong == "line 1: a checksum without a URL");
    CHECK(list("\n\xef\xbb\xbfhttp://a/b").wrong.starts_with("line 2: "));
    CHECK(list(std::string("http://a/\0b", 11)).wrong.starts_with("line 1: "));
    CHECK(list("http://me:secret@a/b").wrong.find("secret") == std::string::npos);
}

TEST_CASE("a byte order mark before a list or checksums is passed over", "[fetch]") {
    result_of_list all = list("\xef\xbb\xbfhttp://a/b\nhttp://a/c");
    CHECK(all.wrong.empty());
    REQUIRE(all.items.size() == 2);
    CHECK(all.items[0].url == "http://a/b");
    CHECK(list("\xef\xbb\xbf# nothing").wrong.empty());
    CHECK(fetch::read_sums("\xef\xbb\xbf" + abc + "  b\n" + abc + "  c\n", all.items).empty());
    CHECK(all.items[0].checksum);
}

TEST_CASE("checksums are found by the name, however it is written", "[fetch]") {
    const auto sums = [](const std::string& url, const std::string& lines) {
        result_of_list all = list(url);
        const std::string wrong = fetch::read_sums(lines, all.items);
        return wrong.empty() && all.items.at(0).checksum ? all.items[0].checksum->hex : wrong;
    };
    const std::string md5(32, 'a');
    CHECK(sums("http://a/b", abc + "  b") == abc);
    CHECK(sums("http://a/b", "SHA256 (b) = " + abc) == abc);
    CHECK(sums("http://a/b", "MD5 (./b) = " + md5) == md5);
    CHECK(sums("http://a/b", "SHA256 (x) = " + abc + "\nSHA512 (b) = " + std::string(128, 'b')) ==
          std::string(128, 'b'));
    CHECK(sums("http://a/b%20(1)%20=%202", "SHA256 (b (1) = 2) = " + abc) == abc);
    CHECK(sums("http://a/b%5Cc", "\\" + abc + "  b\\\\c") == abc);
    CHECK(sums("http://a/b%0Ac", "\\" + abc + "  b\\nc") == abc);
    CHECK(sums("http://a/b%0Dc", "\\SHA256 (b\\rc) = " + abc) == abc);
    CHECK(sums("http://a/b%5Cnc", abc + "  b\\nc") == abc);
    CHECK(sums("http://a/.hid", abc + "  .hid") == abc);
    CHECK(sums("http://a/.hid", md5 + "  hid\n" + abc + "  .hid") == abc);
    CHECK(sums("http://a/.hid", abc + "  hid") == abc);
    CHECK(sums("http://a/.hid hid", md5 + "  .hid\n" + abc + "  hid") == abc);
    for (const std::string& line :
         {"SHA256 (b) = " + md5, "SHA224 (b) = " + abc, "SHA256 () = " + abc, "SHA256 (b)= " + abc,
          std::string{"SHA256 (b) ="}, "SHA256(b) = " + abc, "\\" + abc, abc + " b"})
        CHECK(sums("http://a/b", line).starts_with("line 1: "));
}

TEST_CASE("digests are read in either case, whole, and of four kinds", "[fetch]") {
    const auto digest = apps::parse_digest("sha256:" + abc);
    REQUIRE(digest);
    CHECK(digest->algorithm == apps::digest_algorithm::sha256);
    CHECK(digest->hex == abc);
    CHECK(apps::parse_digest("SHA256:" + abc) == digest);
    CHECK(apps::parse_digest("sha256:BA7816BF" + abc.substr(8)) == digest);
    CHECK(apps::parse_digest("md5:" + std::string(32, 'a')));
    CHECK(apps::parse_digest("sha1:" + std::string(40, 'a')));
    CHECK(apps::parse_digest("sha512:" + std::string(128, 'a')));
    for (const std::string& text :
         {std::string{}, std::string{":"}, abc, ":" + abc, std::string{"sha256:"}, "sha256:" + abc.substr(1),
          "sha256:" + abc + "0", "sha256: " + abc, "sha256:" + abc + " ", "sha224:" + abc, "md5:" + abc,
          "sha256:g" + abc.substr(1), "sha256=" + abc, "sha256:0x" + abc.substr(2), "sha256:-" + abc.substr(1)})
        CHECK(!apps::parse_digest(text));
}

TEST_CASE("the name that a server gives", "[fetch]") {
    const auto name = fetch::name_from_disposition;
    CHECK(name("attachment; filename=a.txt") == "a.txt");
    CHECK(name("attachment;filename=\"a b.txt\"") == "a b.txt");
    CHECK(name("ATTACHMENT ;\t FILENAME = \"a.txt\" ; x=y") == "a.txt");
    CHECK(name(R"(attachment; filename="a\"b\\c.txt")") == "c.txt");  // a backslash divides, as on Windows
    CHECK(name(R"(attachment; filename="a\"b.txt")") == "a\"b.txt");
    CHECK(name("attachment; filename=\"a;b=c.txt\"; size=3") == "a;b=c.txt");
    CHECK(name("attachment; x=\"; filename=evil\"; filename=good") == "good");
    CHECK(name("attachment; filename=first; filename=second") == "first");
    CHECK(name("attachment; filename=plain; filename*=UTF-8''%c3%bc.txt") == "\u00fc.txt");
    CHECK(name("attachment; filename*=utf-8'en'%c3%bc.txt; filename=plain") == "\u00fc.txt");
    CHECK(name("attachment; filename*=\"UTF-8''quoted.txt\"") == "quoted.txt");
    CHECK(name("attachment; filename*=ISO-8859-1''%fc.txt; filename=plain") == "plain");
    CHECK(name("attachment; filename*=UTF-8''%zz; filename=plain") == "plain");
    CHECK(name("attachment; filename*=nonsense; filename=plain") == "plain");
    CHECK(name("attachment; filename=\"no end") == "no end");
    CHECK(name("attachment; filename=\"a\\") == "");
}

TEST_CASE("the name that a server gives has no directory and hides nothing", "[fetch]") {
    const auto name = fetch::name_from_disposition;
    CHECK(name("attachment; filename=\"../../.bashrc\"") == "bashrc");
    CHECK(name("attachment; filename=\"/etc/passwd\"") == "passwd");
    CHECK(name("attachment; filename=\"..\\\\..\\\\boot.ini\"") == "boot.ini");
    CHECK(name("attachment; filename*=UTF-8''..%2f..%2fetc%2fpasswd") == "passwd");
    CHECK(name("attachment; filename*=UTF-8''a%00b") == "a_b");
    CHECK(name("attachment; filename=\"%2e%2e%2fx\"") == "%2e%2e%2fx");  // nothing is decoded here
    CHECK(name("attachment; filename=x.part") == "x.part_");
    CHECK(name("attachment; filename=x.part.state") == "x.part.state_");
    CHECK(name("attachment; filename=\"\x1b[2J\xe2\x80\xae\"") == "_[2J_");
    for (const char* nothing :
         {"", "attachment", "attachment;", "attachment; filename", "attachment; filename=", "; ;;",
          "attachment; filename=\"\"", "attachment; filename=\"..\"", "attachment; filename=\"a/\"",
          "attachment; filename=.", "filename=x", "attachment; filename*=UTF-8''"})
        CHECK(name(nothing).empty());
}
