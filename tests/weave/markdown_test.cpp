// What weave knows of Markdown: anchors as GitHub makes them, links, fences, words.
#include <string>
#include <vector>

#include "tests/testing.h"
#include "tools/weave/lint.h"
#include "tools/weave/markdown.h"

using namespace tpp::weave;

TEST_CASE("anchors are GitHub's") {
  CHECK(slug("13 · RoPE") == "13--rope");
  CHECK(slug("What breaks without it") == "what-breaks-without-it");
  CHECK(slug("Deviations, from: the (paper)!") == "deviations-from-the-paper");
  CHECK(slug("a_b-c 1.5×") == "a_b-c-15");
  CHECK(slug("Äpfel Σ") == "äpfel-σ");
  CHECK(slug("A – B") == "a--b");

  const std::vector<Heading> headings =
      headings_of("# A `b` [c](d)\n\n```\n# no\n```\n## A\n## A\n#no\n");
  REQUIRE(headings.size() == 3);
  CHECK(headings[0].title == "A b c");
  CHECK(headings[0].anchor == "a-b-c");
  CHECK(headings[1].anchor == "a");
  CHECK(headings[2].anchor == "a-1");
  CHECK(headings[2].line == 7);
}

TEST_CASE("links are found where a reader sees them") {
  const std::vector<Link> links = links_of(
      "[a](b.md) and ![c](d.png \"title\") `[no](code)`\n"
      "```\n[no](fence)\n```\n"
      "[x](y(z).md)[`w`](v.md#u)\n"
      "<!-- [no](comment) -->\n"
      "[r]: q.md\n");
  REQUIRE(links.size() == 5);
  CHECK(links[0].target == "b.md");
  CHECK(!links[0].picture);
  CHECK(links[1].target == "d.png");
  CHECK(links[1].picture);
  CHECK(links[2].target == "y(z).md");
  CHECK(links[3].target == "v.md#u");
  CHECK(links[3].line == 5);
  CHECK(links[4].target == "q.md");
}

TEST_CASE("fences end where they should") {
  Fences fences;
  CHECK(!fences.inside("text ``` more"));
  CHECK(fences.inside("````text"));
  CHECK(fences.info() == "text");
  CHECK(fences.inside("```"));
  CHECK(fences.open());
  CHECK(fences.inside("````"));
  CHECK(!fences.open());
  CHECK(!fences.inside("```a``` is code in a line"));
}

TEST_CASE("words of prose, and of nothing else") {
  CHECK(prose_words("one two, three.\n") == 3);
  CHECK(prose_words("# A title\n\none\n") == 1);
  CHECK(prose_words("one `code with words` two $`x + y`$ three\n") == 5);
  CHECK(prose_words("[two words](a/long/link.md#x) — and\n") ==
        4);  // the dash is a sign of its own, counted
  CHECK(prose_words("| a | table |\n| --- | --- |\n") == 0);
  CHECK(prose_words("```\ncode\n```\n") == 0);
  CHECK(prose_words(
            "<!-- run ./run example 13 -->\n```text\nx\n```\nseen\n<!-- /run -->\nword\n") == 1);
  CHECK(prose_words("it is <!-- value a#b .2f -->1.23<!-- /value --> long\n") == 4);
  CHECK(prose_words("- a point\n- another\n") == 3);
}
