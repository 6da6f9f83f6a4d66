// SPDX-License-Identifier: MIT
#include "common/html.hpp"

#include "catch.hpp"

TEST_CASE("text stands in a page, and within quotes there, as it is", "[html]") {
    CHECK(apps::escape_html("a < b && \"c\" > 'd'") == "a &lt; b &amp;&amp; &quot;c&quot; &gt; &#39;d&#39;");
    CHECK(apps::escape_html("你好 &amp;") == "你好 &amp;amp;");
    CHECK(apps::escape_html("").empty());
}
