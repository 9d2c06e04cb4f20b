// Scripts click, type and press keys; commands answer.
#include "viewer/script.h"

#include <imgui.h>

#include <string>

#include "tests/testing.h"
#include "tests/viewer/offscreen.h"
#include "viewer/commands_ui.h"
#include "viewer/layout.h"
#include "viewer/shell.h"

namespace tpp::viewer {
namespace {

using testing::Offscreen;

TEST_CASE("script: a click toggles a box, typing fills a field, a drag moves a slider",
          "[viewer]") {
  Offscreen screen(400, 300);
  bool paused = false;
  char text[32] = "";
  float rate = 0;
  const std::function<void()> draw = [&] {
    ImGui::Checkbox("paused", &paused);
    screen.ui.probe("transport/paused");
    ImGui::InputText("text", text, sizeof text);
    screen.ui.probe("prompt");
    ImGui::SliderFloat("rate", &rate, 0, 1);
    screen.ui.probe("rate");
  };
  Script script = screen.script(draw);
  script.click("transport/paused", 0.1f);
  CHECK(paused);
  script.click("transport/paused", 0.1f);
  CHECK_FALSE(paused);
  script.click("prompt", 0.2f);
  script.type("Once upon");
  script.key("Backspace");
  CHECK(std::string(text) == "Once upo");
  script.drag("rate", 60, 0, 0.2f);
  CHECK(rate > 0.2f);
}

TEST_CASE("script: failures are sentences that name the thing and the line", "[viewer]") {
  Offscreen screen(200, 100);
  const std::function<void()> draw = [&] {
    ImGui::Button("here");
    screen.ui.probe("here");
  };
  Script script = screen.script(draw);
  script.wait();
  try {
    script.click("there");
    FAIL("no error");
  } catch (const ScriptError& e) {
    CHECK(std::string(e.what()).find("\"there\" is not on the screen") != std::string::npos);
    CHECK(std::string(e.what()).find("here") != std::string::npos);
  }
  CHECK_THROWS_AS(script.key("Hyper+Q"), ScriptError);
  CHECK_THROWS_AS(script.expect(false, "paused"), ScriptError);
  CHECK_THROWS_AS(script.wait_until([] { return false; }, "done", 3), ScriptError);
  CHECK_NOTHROW(script.run("# nothing\n\nclick here\nwait 2\nsee here\nnosee there\n"));
  try {
    script.run("click here\nsee there\n");
    FAIL("no error");
  } catch (const ScriptError& e) {
    CHECK(std::string(e.what()).find("line 2") != std::string::npos);
  }
  CHECK_THROWS_AS(script.run("jump"), ScriptError);
}

TEST_CASE("shortcut: text and parse are inverse", "[viewer]") {
  for (const char* text : {"Ctrl+K", "Space", "→", "Shift+→", "Ctrl+Shift+P", "Escape", "F1", "1",
                           "+", "Ctrl++", "−", "Home"}) {
    const auto s = Shortcut::parse(text);
    INFO(text);
    REQUIRE(s);
    CHECK(s->text() == text);
  }
  CHECK(Shortcut::parse("ctrl+k") == Shortcut{key('K'), true, false, false});
  CHECK(Shortcut::parse("Right")->key == Key::right);
  for (const char* bad : {"", "Ctrl", "Ctrl+", "Foo+K", "KK", "Ctrl+K+L"}) {
    INFO(bad);
    CHECK_FALSE(Shortcut::parse(bad));
  }
}

struct App {
  Offscreen screen{900, 600};
  Commands commands;
  int played = 0, stepped = 0;
  char text[16] = "";
  std::function<void()> draw = [this] {
    commands.handle_shortcuts();
    ImGui::InputText("text", text, sizeof text);
    screen.ui.probe("text");
    commands.draw(screen.ui);
  };
  App() {
    commands.add({.id = "play",
                  .title = "Play or pause",
                  .group = "Run",
                  .shortcut = {Key::space},
                  .action = [this] { ++played; }});
    commands.add({.id = "step",
                  .title = "Step one batch",
                  .group = "Run",
                  .shortcut = {Key::right, false, true},
                  .action = [this] { ++stepped; }});
    commands.add({.id = "never",
                  .title = "Never enabled",
                  .group = "Run",
                  .action = [this] { played += 100; },
                  .enabled = [] { return false; }});
    commands.add({.id = "palette",
                  .title = "Find a command",
                  .group = "View",
                  .shortcut = {key('K'), true},
                  .action = [this] { commands.open_palette(); }});
    commands.add({.id = "help",
                  .title = "Show the keys",
                  .group = "View",
                  .shortcut = {Key::f1},
                  .action = [this] { commands.toggle_help(); }});
    commands.add({.id = "escape",
                  .title = "Close or release",
                  .group = "View",
                  .shortcut = {Key::escape},
                  .action = [this] { commands.close_overlays(); }});
  }
};

TEST_CASE("commands: keys run them, with exactly their modifiers, and not while typing",
          "[viewer]") {
  App app;
  Script script = app.screen.script(app.draw);
  script.wait();
  script.key("Space");
  CHECK(app.played == 1);
  script.key("Right");
  CHECK(app.stepped == 0);
  script.key("Shift+Right");
  CHECK(app.stepped == 1);
  script.key("K");
  script.key("Ctrl+Shift+K");
  CHECK_FALSE(app.commands.palette_open());
  script.key("Alt+Space");
  CHECK(app.played == 1);
  script.click("text", 0.2f);
  script.key("Space");
  CHECK(app.played == 1);
}

TEST_CASE("commands: the palette finds by words and runs by Enter or click", "[viewer]") {
  App app;
  Script script = app.screen.script(app.draw);
  script.wait();
  script.key("Ctrl+K");
  script.wait(2);
  REQUIRE(script.sees("palette/input"));
  script.type("batch ste");
  script.wait();
  CHECK(script.sees("palette/step"));
  script.wait(2);
  CHECK_FALSE(script.sees("palette/play"));
  script.key("Enter");
  script.wait(2);
  CHECK(app.stepped == 1);
  CHECK_FALSE(app.commands.palette_open());

  script.key("Ctrl+K");
  script.wait(2);
  script.click("palette/play");
  CHECK(app.played == 1);
  script.key("Ctrl+K");
  script.wait(2);
  script.click("palette/never");
  CHECK(app.played == 1);
  script.key("Escape");
  script.wait(2);
  CHECK_FALSE(app.commands.palette_open());
  // So does a click beside it
  script.key("Ctrl+K");
  script.wait(2);
  script.move_to(880, 590);
  script.click("text", 0.1f);
  script.wait(2);
  CHECK_FALSE(app.commands.palette_open());
}

TEST_CASE("commands: F1 lists the keys, Escape closes", "[viewer]") {
  App app;
  Script script = app.screen.script(app.draw);
  script.wait();
  script.key("F1");
  script.wait(2);
  CHECK(script.sees("help"));
  script.key("Escape");
  script.wait(3);
  CHECK_FALSE(script.sees("help"));
}

TEST_CASE("commands: taken ids and keys are refused, words rank", "[viewer]") {
  App app;
  const auto nothing = [] {};
  CHECK_THROWS_AS(app.commands.add({.id = "play", .title = "x", .action = nothing}),
                  std::invalid_argument);
  CHECK_THROWS_AS(
      app.commands.add({.id = "new", .title = "x", .shortcut = {Key::space}, .action = nothing}),
      std::invalid_argument);
  CHECK_THROWS_AS(app.commands.add({.id = "new", .title = "x"}), std::invalid_argument);
  CHECK_FALSE(app.commands.run("missing"));
  CHECK_FALSE(app.commands.run("never"));
  CHECK(app.commands.match("").size() == 6);
  REQUIRE_FALSE(app.commands.match("play").empty());
  CHECK(app.commands.match("play")[0] == "play");
  CHECK(app.commands.match("xyzzy").empty());
}

TEST_CASE("shell: tabs, maximise, chapter and splitters answer the mouse", "[viewer]") {
  Offscreen screen(1600, 1000);
  Layout layout;
  int active = 0;
  PanelAction seen;
  const std::function<void()> draw = [&] {
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    const LayoutFrame f = layout.compute(size.x, size.y);
    draw_background(screen.ui);
    for (const Slot s : {Slot::attention, Slot::loss, Slot::architecture}) {
      if (!f.shown(s)) continue;
      PanelAction action;
      int none = 0;
      const std::vector<SlotTab> tabs =
          s == Slot::loss ? std::vector<SlotTab>{{"loss", "Loss", ""}, {"samples", "Samples", ""}}
                          : std::vector<SlotTab>{{slot_name(s), "Panel", "06_attention"}};
      begin_slot(screen.ui, s, f[s], tabs, s == Slot::loss ? active : none, layout.maximised() == s,
                 &action);
      ImGui::TextUnformatted("content");
      end_slot();
      if (action.maximise) layout.maximise(s);
      seen.chapter |= action.chapter;
      seen.png |= action.png;
    }
    draw_splitters(screen.ui, layout, f);
    draw_narrow_tabs(screen.ui, layout, f);
  };
  // Slots are windows of their own: no window around them
  Script script(*screen.backend, screen.probes, [&] {
    screen.backend->begin_frame();
    screen.probes.begin_frame();
    draw();
    screen.backend->end_frame(false);
  });
  script.wait(2);
  script.click("tab/samples");
  CHECK(active == 1);
  script.click("slot/attention/chapter");
  CHECK(seen.chapter);
  script.click("slot/attention/png");
  CHECK(seen.png);
  script.click("slot/attention/maximise");
  CHECK(layout.maximised() == Slot::attention);
  script.click("slot/attention/maximise");
  CHECK_FALSE(layout.maximised());
  script.wait(2);
  const float before = layout.compute(1600, 1000)[Slot::architecture].w;
  script.drag("splitter/left", 80, 0);
  CHECK(layout.compute(1600, 1000)[Slot::architecture].w == before + 80);

  screen.backend->resize(700, 800);
  script.wait(2);
  script.click("tabs/loss");
  CHECK(layout.tab() == Slot::loss);
}

}  // namespace
}  // namespace tpp::viewer
