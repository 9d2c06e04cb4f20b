// The session file gives back what was saved, and refuses what it cannot have written.
#include "viewer/session.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "chapters/01_tensor/errors.h"
#include "chapters/01_tensor/random.h"
#include "tests/testing.h"
#include "viewer/layout.h"

using namespace tpp;
using namespace tpp::viewer;

namespace {

namespace fs = std::filesystem;

Session example() {
  Session s;
  s.options = RunOptions{};
  s.options->norm = "layernorm";
  s.options->layers = 2;
  s.options->text = "a \"quoted\" nämé\n";
  s.appearance = Appearance::light;
  s.zoom = 1.25f;
  Layout layout;
  layout.set_preset(Preset::learning);
  s.layout = layout.serialise();
  s.tabs = {{"loss", "samples"}};
  s.selected = {.step = 120, .layer = 1, .head = 3, .pair = 0, .parameter = "block0/attn/wo"};
  s.speed = 2.5;
  s.panels = {{"attention", "stage softmax"}};
  s.fork = {{{"bias", "true"}, {"ffn", "relu"}}, 40};
  s.compare = Compare::difference;
  return s;
}

void require_equal(const Session& a, const Session& b) {
  CHECK(a.options == b.options);
  CHECK(a.appearance == b.appearance);
  CHECK(a.zoom == b.zoom);
  CHECK(a.layout == b.layout);
  CHECK(a.tabs == b.tabs);
  CHECK(a.selected == b.selected);
  CHECK(a.speed == b.speed);
  CHECK(a.panels == b.panels);
  CHECK(a.fork == b.fork);
  CHECK(a.compare == b.compare);
}

struct Folder {
  fs::path path;
  Folder() {
    static int count = 0;
    path = fs::temp_directory_path() /
           ("tpp-session-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

std::string message_of(const std::string& text) {
  try {
    (void)session_from_json(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("session: what is saved comes back", "[viewer][session]") {
  const Session s = example();
  require_equal(session_from_json(to_json(s)), s);
  CHECK(to_json(session_from_json(to_json(s))) == to_json(s));
  require_equal(session_from_json(to_json(Session{})), Session{});

  const Folder folder;
  const fs::path path = folder.path / "new" / "folders" / "session.json";
  save_session(path, s);
  require_equal(load_session(path), s);
  save_session(path, Session{});
  require_equal(load_session(path), Session{});
}

TEST_CASE("session: missing fields keep their defaults, unknown ones are ignored",
          "[viewer][session]") {
  const Session s = session_from_json(
      R"({"format": "transformer++ session 1", "zoom": 2, "later": {"a": [1, 2]}})");
  CHECK(s.zoom == 2);
  CHECK_FALSE(s.options);
  CHECK(s.appearance == Appearance::dark);
  CHECK(s.selected.empty());
}

TEST_CASE("session: hostile files get a sentence", "[viewer][session]") {
  const std::string head = R"({"format": "transformer++ session 1", )";
  for (const std::string& text : {
           std::string(""),
           std::string("{"),
           std::string("[1, 2]"),
           std::string("42"),
           std::string(R"({"zoom": 1})"),
           std::string(R"({"format": "another program"})"),
           std::string(R"({"format": 7})"),
           head + R"("zoom": 1e30})",
           head + R"("fork": 3})",
           head + R"("fork": {"step": -1}})",
           head + R"("fork": {"step": 1.5}})",
           head + R"("fork": {"swaps": {"norm": 1}}})",
           head + R"("fork": {}, "compare": "c"})",
           head + R"("options": {"norm": "rmsnorm"}, "fork": {"swaps": {"norm": "paranorm"}}})",
           head + R"("options": {"batch": "16"}, "fork": {"swaps": {"batch": "8"}}})",
           head + R"("zoom": -1})",
           head + R"("zoom": "1"})",
           head + R"("theme": "pink"})",
           head + R"("theme": ["dark"]})",
           head + R"("layout": {}})",
           head + R"("tabs": {"loss": 1}})",
           head + R"("tabs": "loss"})",
           head + R"("selected": [1]})",
           head + R"("selected": {"layer": 0.5}})",
           head + R"("selected": {"layer": -1}})",
           head + R"("selected": {"layer": 1e300}})",
           head + R"("selected": {"parameter": 3}})",
           head + R"("speed": -1})",
           head + R"("panels": {"a": {"b": 1}}})",
           head + R"("options": {"option.heads": "3"}})",  // does not divide the width
           head + R"("options": {"option.norm": "nonsense"}})",
           head + R"("options": {"option.layers": 4}})",
           head + R"("options": 4})",
           head + R"("zoom": 1} trailing)",
           std::string(100000, '['),
           std::string(1000, '\0'),
           std::string("\xFF\xFE{\"format\""),
       }) {
    INFO(text.substr(0, 80));
    CHECK_FALSE(message_of(text).empty());
  }
  CHECK(message_of(head + R"("zoom": 7})").find("0.5") != std::string::npos);

  // Any damage either still reads or is refused, and nothing else
  const std::string good = to_json(example());
  Philox rng(5);
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    for (std::uint64_t n = 1 + rng.below(3); n > 0; --n) {
      const auto at = std::size_t(rng.below(bad.size()));
      if (rng.below(3) == 0) {
        bad.erase(at, std::size_t(rng.below(20)));
      } else {
        bad[at] = char(rng.below(256));
      }
      if (bad.empty()) break;
    }
    try {
      (void)session_from_json(bad);
    } catch (const InputError&) {
    }
  }
  SUCCEED();
}

TEST_CASE("session: files that cannot be read are named", "[viewer][session]") {
  const Folder folder;
  const auto message = [](const fs::path& path) -> std::string {
    try {
      (void)load_session(path);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  const fs::path missing = folder.path / "missing.json";
  CHECK(message(missing).find(missing.string()) != std::string::npos);
  CHECK(message(folder.path).find("not a file") != std::string::npos);
  const fs::path large = folder.path / "large.json";
  std::ofstream(large) << std::string(3 << 20, ' ');
  CHECK(message(large).find("larger") != std::string::npos);
  const fs::path foreign = folder.path / "foreign.json";
  std::ofstream(foreign) << "{}";
  CHECK(message(foreign).find("format") != std::string::npos);
  CHECK_THROWS_AS(save_session(folder.path, Session{}), InputError);  // a folder
  CHECK_THROWS_AS(save_session(foreign / "below.json", Session{}), InputError);
}

TEST_CASE("session: values that JSON does not know are not written as such", "[viewer][session]") {
  Session s;
  s.speed = std::numeric_limits<double>::quiet_NaN();
  s.panels["x"] = "\xFF\xFE";  // not UTF-8
  const Session back = session_from_json(to_json(s));
  CHECK(back.speed == 0);
  CHECK(back.panels.contains("x"));
}

TEST_CASE("session: it lies where the desktop keeps such things", "[viewer][session]") {
  const auto saved = [](const char* name) {
    const char* value = std::getenv(name);
    return value ? std::string(value) : std::string();
  };
  const std::string config = saved("XDG_CONFIG_HOME"), home = saved("HOME");
  ::setenv("XDG_CONFIG_HOME", "/somewhere/config", 1);
  CHECK(default_session_path() == "/somewhere/config/transformer++/session.json");
  ::setenv("XDG_CONFIG_HOME", "relative", 1);  // the specification says: ignore it
  ::setenv("HOME", "/home/me", 1);
  CHECK(default_session_path() == "/home/me/.config/transformer++/session.json");
  ::unsetenv("XDG_CONFIG_HOME");
  ::unsetenv("HOME");
  CHECK(default_session_path().empty());
  if (!config.empty()) ::setenv("XDG_CONFIG_HOME", config.c_str(), 1);
  if (!home.empty()) ::setenv("HOME", home.c_str(), 1);
}
