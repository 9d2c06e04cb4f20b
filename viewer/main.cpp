// tpp-viewer: a model that trains while you look; without a display, pictures of it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>
#include <optional>
#include <sstream>
#include <tuple>
#include <utility>

#include "assets/repository.h"
#include "assets/sources.h"
#include "chapters/02_tape/slots.h"
#include "tools/cli/commands.h"
#include "tools/cli/run_options.h"
#include "tools/learn/mine.h"
#include "viewer/app.h"
#include "viewer/backend.h"
#include "viewer/export.h"
#include "viewer/headless.h"
#include "viewer/script.h"
#include "viewer/session.h"

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  TypedOptions typed;
  std::string checkpoint, session, script, out = "out", size = "1600x1000";
  std::string theme;
  double scale = 0;
  long frames = -1;
  std::string mine, tour;
  std::string fork, fork_at, show;
  bool headless = false, paused = false, hidden = false;
};

void add_options(CLI::App& program, Arguments& args) {
  const std::string view = "The window";
  program
      .add_option("--checkpoint", args.checkpoint,
                  "look at a run that was saved, and go on with it")
      ->type_name("FILE")
      ->group(view);
  program
      .add_option(
          "--mine", args.mine,
          "your own answers of exercises in the model: 12.1,rope; 12.1=eps_outside puts a wrong "
          "answer there. Ctrl+K switches them")
      ->type_name("ID,…")
      ->group(view);
  program.add_option("--tour", args.tour, "begin with the tour of a chapter: 13; or \"window\"")
      ->type_name("NN")
      ->group(view);
  program
      .add_option("--fork", args.fork,
                  "a second run, B, in lockstep, with something set otherwise: "
                  "norm=layernorm,warmup=0")
      ->type_name("OPTION=VALUE,…")
      ->group(view);
  program
      .add_option("--fork-at", args.fork_at,
                  "the step at which B begins with A's weights; the first one if not given")
      ->type_name("start|N")
      ->group(view);
  program.add_option("--show", args.show, "of two runs: A, B, or B − A")
      ->type_name("a|b|difference")
      ->check(CLI::Validator(CLI::IsMember({"a", "b", "difference"})).description(""))
      ->group(view);
  program.add_flag("--paused", args.paused, "do not start training by itself")->group(view);
  program.add_option("--theme", args.theme, "dark or light")
      ->type_name("dark|light (dark)")
      ->check(CLI::Validator(CLI::IsMember({"dark", "light"})).description(""))
      ->group(view);
  program.add_option("--size", args.size, "of the window, at scale 1")
      ->type_name("WxH (1600x1000)")
      ->group(view);
  program
      .add_option("--scale", args.scale, "of text and everything; the display's own if not given")
      ->type_name("X")
      ->check(CLI::Validator(CLI::Range(0.5, 4.0)).description(""))
      ->group(view);
  program
      .add_option(
          "--session", args.session,
          "arrange the view and set the run as this file says; it is written at the end, unless it "
          "is a lesson, which hides or asks something")
      ->type_name("FILE")
      ->group(view);
  program.add_option("--out", args.out, "folder for pictures, numbers and checkpoints")
      ->type_name("DIR (out)")
      ->group(view);

  const std::string without = "Without a display";
  program
      .add_flag("--headless", args.headless,
                "train up to --steps (300), then write pictures of everything into --out")
      ->group(without);

  const std::string tests = "For tests and tours";
  program
      .add_option("--script", args.script,
                  "do what this file says: click NAME, key Ctrl+K, shot FILE.png, …")
      ->type_name("FILE")
      ->group(tests);
  program.add_option("--frames", args.frames, "quit after so many frames")
      ->type_name("N")
      ->group(tests);
  program.add_flag("--hidden", args.hidden, "open the window without showing it")->group(tests);

  args.typed.add_to(program);
  program.footer(
      "Keys in the window\n"
      "  Space plays and pauses · . takes a step · , takes a phase of one · Ctrl+K finds every "
      "command\n"
      "  F1 lists all keys · E explains the panel under the mouse · P saves a picture of it, C its "
      "numbers\n"
      "Examples\n"
      "  ./run                                   the default model on fables\n"
      "  ./run viewer --recipe gpt               2019's parts instead\n"
      "  ./run viewer --text induction --layers 2     a task in which heads find something to do\n"
      "  ./run viewer --fork norm=layernorm           two runs from the start, one thing changed\n"
      "  ./run viewer --headless --steps 1000 --out pictures\n");
}

std::pair<int, int> parse_size(const std::string& text) {
  int width = 0, height = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%dx%d%c", &width, &height, &rest) != 2 || width < 200 ||
      height < 150 || width > 16384 || height > 16384) {
    throw InputError(
        "--size wants width and height in pixels, like 1600x1000, from 200x150 to "
        "16384x16384");
  }
  return {width, height};
}

/// A second run, as it was typed, or as the session had it. Errors: InputError
std::optional<ForkPlan> planned_fork(const Arguments& args, const std::optional<Session>& session,
                                     const RunOptions& options, long first) {
  if (args.fork.empty()) {
    if (!args.fork_at.empty()) {
      throw InputError(
          "--fork-at says when B begins; --fork must say what it has otherwise, as "
          "--fork norm=layernorm does.");
    }
    if (session && session->fork) (void)with_swaps(options, session->fork->swaps);
    return session ? session->fork : std::nullopt;
  }
  ForkPlan plan{parse_swaps(args.fork), first};
  if (args.fork_at == "start") {
    plan.step = 0;
  } else if (!args.fork_at.empty()) {
    char rest = 0;
    if (std::sscanf(args.fork_at.c_str(), "%ld%c", &plan.step, &rest) != 1 || plan.step < 0)
      throw InputError("--fork-at wants start or a step, like 200, and got " + args.fork_at + ".");
  }
  if (plan.step < first) {
    throw InputError("--fork-at " + args.fork_at + " is before step " + std::to_string(first) +
                     ", where the checkpoint begins: leave --fork-at out, or the checkpoint.");
  }
  (void)with_swaps(options, plan.swaps);
  return plan;
}

/// The reader's texts lie there; without them it has less to tell.
fs::path root_or_here() {
  try {
    return repository_root();
  } catch (const InputError&) {
    return ".";
  }
}

std::string read_script(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  if (!in || !(text << in.rdbuf())) throw InputError("The script " + path + " cannot be read.");
  return text.str();
}

/// The session that was left last time, or the one that is named. A bad file gives a notice.
std::optional<Session> previous_session(const Arguments& args, const fs::path& path,
                                        std::string& notice) {
  if (path.empty() || (args.headless && args.session.empty())) return {};
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  try {
    Session session = load_session(path);
    // The file that is written at every end keeps the view; what is trained is asked for each time
    if (args.session.empty()) {
      session.options.reset();
      session.fork.reset();
    }
    return session;
  } catch (const InputError& reason) {
    notice = reason.what();
    return {};
  }
}

int open_window(const Arguments& args, RunThreadConfig config, Run run,
                const std::optional<Session>& session, const std::string& notice,
                const fs::path& session_path, bool first_time,
                const std::optional<ForkPlan>& fork) {
  const auto [width, height] = parse_size(args.size);
  BackendConfig window;
  window.width = width;
  window.height = height;
  window.scale = float(args.scale);
  window.visible = !args.hidden;
  const std::string script = args.script.empty() ? "" : read_script(args.script);
  const auto backend = make_glfw_backend(window);
  config.wake = [&backend] { backend->wake(); };
  RunThread thread(std::move(run), std::move(config));

  AppConfig app_config;
  app_config.out = args.out;
  app_config.root = root_or_here();
  app_config.session = session_path;
  App app(*backend, thread, app_config);
  if (session) app.apply(*session);
  if (!args.theme.empty()) {
    app.set_appearance(args.theme == "dark" ? Appearance::dark : Appearance::light);
  }
  if (!notice.empty()) app.toast(notice, true);
  if (!args.tour.empty() && !app.start_tour(args.tour)) {
    std::string known;
    for (const Tour& tour : app.tours().tours()) known += (known.empty() ? "" : ", ") + tour.id;
    throw InputError("There is no tour called " + args.tour + ". There are: " + known + ".");
  }
  if (first_time) app.offer_tour();
  if (fork) app.plan_fork(*fork);
  if (const auto shows = compare_named(args.show)) app.set_compare(*shows);
  if (!args.paused) app.play();

  if (!script.empty()) {
    Script hand(*backend, app.probes(), [&app] { app.frame(); });
    hand.run(script);
    return 0;
  }
  app.loop(args.frames);
  if (!session_path.empty() && args.frames < 0 && !(session && session->is_lesson())) {
    try {
      save_session(session_path, app.session());
    } catch (const InputError& error) {
      std::cerr << error.what() << "\n";
    }
  }
  return 0;
}

int start(const Arguments& args) {
  const fs::path session_path =
      args.session.empty() ? default_session_path() : fs::path(args.session);
  std::string notice;
  const std::optional<Session> session = previous_session(args, session_path, notice);
  if (!notice.empty()) std::cerr << notice << "\n";

  // The saved run's options, then the session's, then what was typed
  RunOptions options;
  std::optional<OpenedCheckpoint> opened;
  if (!args.checkpoint.empty()) {
    opened = open_checkpoint(args.checkpoint);
    options = opened->options;
  } else if (session && session->options) {
    options = *session->options;
  }
  if (args.headless && !opened && !args.typed.has("steps")) options.steps = 300;
  args.typed.apply(options);
  (void)train_config(options);

  put_mine_in_place(args.mine, options.device);
  if (const std::string mine = slots_in_use(); !mine.empty()) {
    std::cerr << "In the model: " << mine << "\n";
  }

  RunThreadConfig config;
  config.open = [saved = opened ? std::optional(std::pair(opened->options, opened->tokenizer))
                                : std::nullopt](const RunOptions& wanted) {
    SourceConfig source = source_config(wanted);
    const bool same =
        saved && saved->first.text == wanted.text && saved->first.tokenizer == wanted.tokenizer &&
        saved->first.objective == wanted.objective && saved->first.length == wanted.length;
    if (same) source.learned = saved->second;
    return make_source(source);
  };
  auto source = config.open(options);
  std::cerr << "Text: " << options.text << ". " << source->describe() << "\n";
  Run run = make_run(options, std::move(source), config.background);
  if (opened) {
    try {
      run.trainer->set_state(opened->state);
    } catch (const ShapeError&) {
      throw InputError(args.checkpoint +
                       " holds another model than these options describe: leave the "
                       "options of the model out");
    }
  }
  const std::optional<ForkPlan> fork =
      planned_fork(args, session, options, run.trainer->steps_done());
  std::cerr << "Model: " << describe_model(options, *run.model) << "\n";
  if (fork) std::cerr << "B, from step " << fork->step << ": " << describe(fork->swaps) << "\n";

  if (args.headless) {
    HeadlessConfig headless;
    headless.last_step = options.steps;
    headless.out = args.out;
    headless.root = root_or_here();
    std::tie(headless.width, headless.height) = parse_size(args.size);
    headless.scale = args.scale > 0 ? float(args.scale) : 1.0f;
    headless.session = session;
    headless.fork = fork;
    headless.compare = compare_named(args.show).value_or(
        args.fork.empty() && session ? session->compare : Compare::difference);
    if (!args.script.empty()) headless.script = read_script(args.script);
    config.background = false;
    RunThread thread(std::move(run), std::move(config));
    return run_headless(thread, headless);
  }
  // Who has left no session was not here before; a script is nobody
  const bool first_time = args.session.empty() && args.script.empty() && args.tour.empty() &&
                          args.frames < 0 && !session && notice.empty();
  return open_window(args, std::move(config), std::move(run), session, notice, session_path,
                     first_time, fork);
}

int parse_and_start(int argc, char** argv) {
  CLI::App program(
      "Watch a Transformer learn: attention, positions, norms, gradients and losses, live.\n"
      "Every component can be exchanged while it runs.",
      "./run viewer");
  program.get_formatter()->column_width(38);
  Arguments args;
  add_options(program, args);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  }
  try {
    return start(args);
  } catch (const BackendError& error) {
    std::cerr << error.what() << "\n";
  } catch (const InputError& error) {
    std::cerr << error.what() << "\n";
  } catch (const ExportError& error) {
    std::cerr << error.what() << "\n";
  } catch (const ScriptError& error) {
    std::cerr << error.what() << "\n";
    return 1;
  } catch (const std::bad_alloc&) {
    std::cerr
        << "There is not enough memory for this: choose a smaller --width, --layers, --length or "
           "--batch\n";
  }
  return 2;
}

}  // namespace
}  // namespace tpp::viewer

int main(int argc, char** argv) { return tpp::viewer::parse_and_start(argc, argv); }
