// The kernel lens as a panel: stepping, playing, versions, source lines and lanes, by a scripted hand
// and without a window.
#include "viewer/panels/kernels_panel.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_trace.h"
#include "viewer/panels/kernel_request.h"

namespace tpp::viewer::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 740, kHeight = 560;
constexpr int kVertexBudget = 60000;

KernelPrograms nowhere() { return {"/nowhere/tpp-counts", "/nowhere/tpp-learn", {}, "/nowhere"}; }

std::shared_ptr<const Trace> toy() {
  return std::make_shared<const Trace>(read_trace(toy_trace(), "toy"));
}

TEST_CASE("kernels panel: step, scrub, choose, filter", "[viewer][kernels]") {
  Stage stage(kWidth, kHeight);
  KernelsPanel panel(nowhere());
  panel.show(toy());
  stage.show(panel, nullptr);
  Script& hand = stage.script();
  const Replay& replay = panel.replay();
  CHECK(replay.at() == 0);

  hand.click("kernels/next");
  hand.click("kernels/next");
  CHECK(replay.at() == 2);
  hand.click("kernels/previous");
  CHECK(replay.at() == 1);
  hand.click("kernels/strip", 0.999f, 0.5f);
  CHECK(replay.at() == 41);
  hand.drag("kernels/strip", -1000, 0, 0.5f, 0.5f);
  CHECK(replay.at() == 0);

  hand.click("kernels/worst");
  REQUIRE(replay.request());
  CHECK(replay.request_line()->line == 12);
  hand.click("kernels/warp");
  CHECK(replay.warp() == 0);
  hand.click("kernels/warp");
  hand.click("kernels/warp");
  CHECK(replay.warp() == -1);

  // A line of the source, and all of them again
  hand.click("kernels/source/14", 0.5f, 0.5f);
  CHECK(replay.line() == 14);
  CHECK(replay.shown().size() == 12);
  hand.wait(2);
  hand.click("kernels/line");
  CHECK(replay.line() == -1);

  // The other version
  CHECK(panel.settings() == "05/softmax/v1_strided");
  hand.click("kernels/version/v2_side_by_side");
  CHECK(replay.version_index() == 1);
  CHECK(panel.settings() == "05/softmax/v2_side_by_side");
}

TEST_CASE("kernels panel: it plays, draws only then, and stops at the end", "[viewer][kernels]") {
  Stage stage(kWidth, kHeight);
  KernelsPanel panel(nowhere());
  panel.show(toy());
  stage.show(panel, nullptr);
  Script& hand = stage.script();
  CHECK(stage.redraw_in == 0);
  hand.click("kernels/speed");
  hand.click("kernels/play");
  CHECK(panel.playing());
  CHECK(stage.redraw_in > 0);
  CHECK(stage.redraw_in <= 0.025);
  hand.wait(20);  // a third of a second of the stage's clock
  CHECK(panel.replay().at() > 5);
  CHECK(panel.replay().at() < 20);
  hand.wait(200);
  CHECK_FALSE(panel.playing());
  CHECK(panel.replay().at() == 41);
  CHECK(stage.redraw_in == 0);

  // From the start again; a step stops it
  hand.click("kernels/play");
  CHECK(panel.playing());
  CHECK(panel.replay().at() < 10);
  hand.click("kernels/next");
  CHECK_FALSE(panel.playing());
}

TEST_CASE("kernels panel: a lane says what it does", "[viewer][kernels]") {
  Stage stage(kWidth, kHeight);
  KernelsPanel panel(nowhere());
  panel.show(toy());
  stage.show(panel, nullptr);
  Script& hand = stage.script();
  hand.move("kernels/lane/5");
  hand.wait(20);
  CHECK(panel.lane() == 5);
  CHECK(hand.sees("tooltip"));
  hand.move("kernels/memory", 0.5f, 0.5f);
  hand.wait(20);
  CHECK(hand.sees("tooltip"));

  const auto trace = toy();
  const TraceVersion& v = trace->versions[0];
  const auto scene = [&](int request) {
    const TraceRequest& r = v.requests[std::size_t(request)];
    return scene_of(v.lines[std::size_t(r.line)], r);
  };
  // x[1280] = byte 5120, sector 160, alone in it
  const RequestScene load = scene(0);
  Explanation e = explain_lane(load, 5);
  CHECK(e.name == "lane 5 of warp 0 loads x[1,280]");
  CHECK(e.numbers == "⌊5120 / 32⌋");
  CHECK(e.result == "sector 160");
  CHECK(e.why == "No other lane wants this sector: 4 of the 32 bytes fetched are asked for.");
  CHECK(e.source == "kernel.cuh:10");
  CHECK(request_sentence(load) == "Warp 0 loads x: 4 bytes a lane.");
  CHECK(cost_sentence(load) == "32 sectors for 128 bytes; side by side, 4 would hold them.");

  // The tile begins at 64: its first word is in bank 16, and lane 3's is the fourth that it gives
  const RequestScene put = scene(1);
  CHECK(put.line.array == "tile");
  e = explain_lane(put, 3);
  CHECK(e.name == "lane 3 of warp 0 stores tile[96]");
  CHECK(e.numbers == "⌊(384 + 64) / 4⌋ mod 32");
  CHECK(e.result == "bank 16");
  CHECK(e.why.find("32 words to give, one a wavefront; this is number 4.") != std::string::npos);
  CHECK(cost_sentence(put) ==
        "32 wavefronts instead of 1: lanes want different words of one bank.");

  CHECK(launch_text(v, "kernel") == "2 blocks of 64 threads");
  CHECK(launch_text(v, "other").empty());

  const RequestScene few = scene(6);
  CHECK(few.line.array == "y");
  CHECK(request_sentence(few) == "Warp 0 stores y: 4 bytes a lane, 5 lanes of 32.");
  CHECK(cost_sentence(few) == "1 sector: as few as these values fit in.");
  CHECK(explain_lane(few, 9).name == "lane 9 of warp 0 takes no part");
  CHECK(explain_lane(few, 99).name.find("no part") != std::string::npos);
}

TEST_CASE("kernels panel: numbers for a table", "[viewer][kernels]") {
  KernelsPanel panel(nowhere());
  std::ostringstream nothing;
  panel.export_csv(nothing);
  CHECK(nothing.str().empty());
  panel.show(toy());
  std::ostringstream out;
  panel.export_csv(out);
  const std::string text = out.str();
  CHECK(text.starts_with(
      "chapter,section,version,kernel,file,line,memory,operation,array,bytes_a_lane,"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 2 * 4);
  CHECK(text.find("05,softmax,v1_strided,kernel,kernel.cuh,10,global,load,x,4,12,384,384,48\n") !=
        std::string::npos);
  CHECK(
      text.find("05,softmax,v1_strided,kernel,kernel.cuh,12,shared,store,tile,4,12,384,384,12\n") !=
      std::string::npos);
}

TEST_CASE("kernels panel: a place in a session or a link", "[viewer][kernels]") {
  KernelsPanel panel(nowhere());
  CHECK(panel.settings() == "05/softmax");
  panel.restore("08/forward/v2_warp_per_row");
  CHECK(panel.settings() == "08/forward/v2_warp_per_row");
  CHECK(panel.info().chapter == "08_layernorm");
  for (const char* bad : {"", "/", "08", "08/", "99/forward", "yours/", "yours/../../x",
                          "yours/5.3;x", "08/nothing/v1"}) {
    panel.restore(bad);
    CHECK(panel.settings() == "08/forward/v2_warp_per_row");
  }
  panel.restore("yours/5.3");
  CHECK(panel.settings() == "yours/5.3");
  CHECK(panel.info().chapter == "05_softmax");

  // The version that was asked for is shown when the recording comes, and changed in place
  panel.restore("05/softmax/v2_side_by_side");
  panel.show(toy());
  CHECK(panel.replay().version_index() == 1);
  panel.restore("05/softmax/v1_strided");
  CHECK(panel.replay().version_index() == 0);
  panel.restore("05/softmax/v9");
  CHECK(panel.replay().version_index() == 0);
}

TEST_CASE("kernels panel: what is missing is said, and what comes is shown", "[viewer][kernels]") {
  Stage stage(kWidth, kHeight);
  {
    KernelsPanel panel(nowhere());
    stage.show(panel, nullptr);
    for (int i = 0; i < 3000 && panel.waiting(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      stage.frame();
    }
    stage.frame();
    CHECK(panel.problem().find("is missing") != std::string::npos);
    CHECK_FALSE(stage.script().sees("kernels/strip"));
  }

  // A program that writes the toy
  const fs::path folder =
      fs::temp_directory_path() / ("tpp-kernels-" + std::to_string(std::random_device()()));
  fs::create_directories(folder);
  std::ofstream(folder / "toy.json") << toy_trace();
  std::ofstream(folder / "counts")
      << "#!/bin/sh\ncp " << (folder / "toy.json").string() << " \"$4\"\n";
  fs::permissions(folder / "counts", fs::perms::owner_all);
  {
    KernelsPanel panel({folder / "counts", folder / "none", {}, folder / "kept"});
    stage.show(panel, nullptr, 1);
    CHECK(stage.redraw_in > 0);
    stage.script().await("kernels/strip");
    CHECK(panel.replay().shown().size() == 42);
    CHECK_FALSE(panel.waiting());
    CHECK(stage.redraw_in == 0);

    // Another ladder, by the list
    stage.script().click("kernels/ladder");
    stage.script().wait(3);
    stage.script().click("kernels/ladder/01/product");
    CHECK(panel.settings().starts_with("01/product"));
    CHECK(panel.info().chapter == "01_tensor");
  }
  fs::remove_all(folder);
}

TEST_CASE("kernels panel: a reader's kernel is recorded at every save", "[viewer][kernels]") {
  const fs::path folder =
      fs::temp_directory_path() / ("tpp-mine-" + std::to_string(std::random_device()()));
  fs::create_directories(folder);
  std::ofstream(folder / "toy.json") << toy_trace();
  const fs::path mine = folder / "row_softmax.cuh";
  std::ofstream(mine) << "first";
  // The second time its answer does not compile
  std::ofstream(folder / "learn")
      << "#!/bin/sh\nif [ \"$2\" = --list ]; then printf '5.3\\tsoftmax\\t" << mine.string()
      << "\\n'; exit 0; fi\nif grep -q broken " << mine.string()
      << "; then echo '5.3, does not compile.'; exit 1; fi\ncp " << (folder / "toy.json").string()
      << " \"$4\"\n";
  fs::permissions(folder / "learn", fs::perms::owner_all);
  fs::last_write_time(folder / "learn", fs::file_time_type::clock::now() - std::chrono::hours(1));
  {
    Stage stage(kWidth, kHeight);
    KernelsPanel panel({folder / "none", folder / "learn", {}, folder / "kept"});
    panel.restore("yours/5.3/v2_side_by_side");
    stage.show(panel, nullptr, 1);
    stage.script().await("kernels/strip");
    CHECK(panel.replay().version_index() == 1);
    CHECK(stage.redraw_in > 0);  // it looks at the file
    CHECK(panel.problem().empty());

    const auto saved = [&](const char* text) {
      const auto before = fs::last_write_time(mine);
      std::ofstream(mine) << text;
      fs::last_write_time(mine, before + std::chrono::seconds(2));
    };
    const auto until = [&](auto done) {
      for (int i = 0; i < 3000 && !done(); ++i) {
        stage.frame();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return done();
    };
    saved("broken");
    CHECK(until([&] { return panel.problem() == "5.3, does not compile."; }));
    stage.frame();
    CHECK_FALSE(stage.script().sees("kernels/next"));
    saved("better");
    CHECK(until([&] { return panel.problem().empty() && !panel.waiting(); }));
    stage.script().await("kernels/strip");
    CHECK(panel.replay().version_index() == 1);
  }
  fs::remove_all(folder);
}

TEST_CASE("kernels panel: any recording, any size, both looks", "[viewer][kernels]") {
  std::vector<std::string> texts{toy_trace()};
  // Nothing recorded at all; one lane; every width; a source that is not there
  texts.push_back(TraceText::file({TraceText("empty", 0)}));
  TraceText odd("odd", 1);
  for (const int bytes : {1, 2, 4, 8, 16}) {
    for (const char space : {'g', 's'}) {
      const int line = odd.line(std::string(60, 'w'), 39, space, "atom", bytes);
      odd.request(
          line, 31, [&](int l) { return l == 17 ? bytes : -1; }, 1000000);
      odd.request(
          line, 0, [&](int l) { return (l % 3) * 4096 * bytes; }, 0, 112);
      odd.request(line, 0, [&](int l) { return l * bytes; });
    }
  }
  texts.push_back(TraceText::file({odd, odd}));
  std::string without = toy_trace();
  const std::string file = "\"kernel.cuh\": {";
  for (std::size_t at; (at = without.find(file)) != std::string::npos;)
    without.replace(at, file.size(), "\"gone.cuh\": {");
  texts.push_back(without);

  for (const std::string& text : texts) {
    const auto trace = std::make_shared<const Trace>(read_trace(text, "synthetic"));
    for (const Appearance look : {Appearance::dark, Appearance::light}) {
      for (const auto& [w, h, scale] : {std::tuple{kWidth, kHeight, 1.0f},
                                        {320, 220, 1.0f},
                                        {60, 40, 1.0f},
                                        {1580, 840, 1.0f},
                                        {1480, 1120, 2.0f},
                                        {420, 700, 1.0f}}) {
        Stage stage(w, h, look, scale);
        KernelsPanel panel(nowhere());
        panel.show(trace);
        stage.show(panel, nullptr);
        for (int i = 0; i < std::min(40, int(panel.replay().shown().size())); ++i) {
          stage.script().move_to(float((i * 37) % w), float((i * 61) % h));
          if (stage.script().sees("kernels/next")) stage.script().click("kernels/next");
        }
        CHECK(stage.vertices < kVertexBudget);
        if (w == kWidth) CHECK(stage.vertices > 300);
      }
    }
  }
}

}  // namespace
}  // namespace tpp::viewer::testing
