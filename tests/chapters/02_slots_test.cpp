// A reader's function in the place of the book's.
#include "chapters/02_tape/slots.h"

#include "tests/testing.h"

using namespace tpp;

namespace {

float book(float x) { return x; }
double exact(double x) { return x; }
float mine(float x) { return -x; }

}  // namespace

TEST_CASE("slots: mine runs where it is offered and switched on, for float only", "[ch02]") {
  Slot& place = slot("test_slot");
  CHECK(in_slot<float>(place, book)(3) == 3);
  CHECK(slots_in_use().empty());

  fill_slot("test_slot", reinterpret_cast<AnyFunction>(mine), "99.1 a test: yours");
  CHECK(&slot("test_slot") == &place);
  CHECK(in_slot<float>(place, book)(3) == -3);
  CHECK(in_slot<double>(place, exact)(3) == 3);
  CHECK(slots_in_use() == "99.1 a test: yours");

  switch_slot(place, false);
  CHECK(in_slot<float>(place, book)(3) == 3);
  CHECK(slots_in_use().empty());
  REQUIRE(filled_slots().size() == 1);
  switch_slot(*filled_slots()[0], true);
  CHECK(in_slot<float>(place, book)(3) == -3);

  fill_slot("test_slot", nullptr, "");
  CHECK(filled_slots().empty());
}
