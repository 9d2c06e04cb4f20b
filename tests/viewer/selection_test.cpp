// Hover shows, a click holds, Escape lets go.
#include "viewer/selection.h"

#include "tests/testing.h"

namespace tpp::viewer {
namespace {

TEST_CASE("selection: what is hovered is seen by all panels one frame later, then is gone",
          "[viewer]") {
  Selection s;
  s.hover({.layer = 2, .head = 1});
  s.hover({.query = 7});  // adds to it
  CHECK(s.hovered().empty());
  s.begin_frame();
  CHECK(s.is_hovered({.layer = 2, .head = 1}));
  CHECK(s.is_hovered({.query = 7}));
  CHECK_FALSE(s.is_hovered({.layer = 2, .head = 0}));
  CHECK_FALSE(s.is_hovered({}));
  s.begin_frame();
  CHECK(s.hovered().empty());
}

TEST_CASE("selection: the later hover of a frame wins where both speak", "[viewer]") {
  Selection s;
  s.hover({.layer = 1, .head = 3});
  s.hover({.layer = 2});
  s.begin_frame();
  CHECK(s.hovered().layer == 2);
  CHECK(s.hovered().head == 3);
}

TEST_CASE("selection: a lock stays, takes more fields, and the same click again undoes it",
          "[viewer]") {
  Selection s;
  s.lock({.layer = 2, .head = 1});
  s.lock({.query = 5, .key = 3});
  s.begin_frame();
  CHECK(s.is_locked({.layer = 2, .head = 1, .query = 5}));
  s.lock({.query = 5, .key = 3});
  CHECK_FALSE(s.locked().query);
  CHECK(s.is_locked({.layer = 2, .head = 1}));
  s.lock({.layer = 2, .head = 0});  // another head: moves
  CHECK(s.locked().head == 0);
  s.lock({});
  CHECK(s.is_locked({.layer = 2, .head = 0}));
}

TEST_CASE("selection: shown prefers the hovered, pinned the locked", "[viewer]") {
  Selection s;
  s.lock({.layer = 2, .head = 1});
  s.hover({.head = 3, .key = 4});
  s.begin_frame();
  CHECK(s.shown().head == 3);
  CHECK(s.pinned().head == 1);
  CHECK(s.shown().layer == 2);
  CHECK(s.pinned().key == 4);
}

TEST_CASE("selection: Escape releases all at once and says whether there was anything",
          "[viewer]") {
  Selection s;
  CHECK_FALSE(s.release());
  s.set({.layer = 1, .parameter = "block1/attn/wq"});
  s.set({.layer = 1});  // sets, never toggles
  CHECK(s.locked().layer == 1);
  CHECK(s.release());
  CHECK(s.locked().empty());
}

TEST_CASE("selection: its version grows exactly when something changed", "[viewer]") {
  Selection s;
  const auto v0 = s.version();
  s.begin_frame();
  s.begin_frame();
  CHECK(s.version() == v0);
  s.hover({.head = 1});
  s.begin_frame();
  const auto v1 = s.version();
  CHECK(v1 > v0);
  s.hover({.head = 1});
  s.begin_frame();
  CHECK(s.version() == v1);
  s.set({.head = 1});
  CHECK(s.version() > v1);
  const auto v2 = s.version();
  s.set({.head = 1});
  CHECK(s.version() == v2);
}

}  // namespace
}  // namespace tpp::viewer
