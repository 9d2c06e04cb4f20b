// tpp train: a run in the terminal, with a progress bar, that never loses what it has learned.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>

#include "assets/repository.h"
#include "assets/sources.h"
#include "chapters/02_tape/slots.h"
#include "chapters/03_tokens/targets.h"
#include "chapters/11_gpt/sampling.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress.h"
#include "tools/cli/run_options.h"
#include "tools/learn/mine.h"

namespace tpp {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct TrainArguments {
  TypedOptions typed;
  double minutes = 0;
  std::string checkpoint;
  std::string resume;
  std::string csv;
  int validate_every = 100;
  double save_every = 60;  // seconds
  int sample = 200;        // tokens at the end
  std::string mine;        // exercises whose answer stands in the model
  bool force = false;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The first of out/train-1.safetensors, out/train-2.safetensors, … that is free: nothing is replaced.
fs::path free_checkpoint() {
  for (int i = 1;; ++i) {
    fs::path path = fs::path("out") / ("train-" + std::to_string(i) + ".safetensors");
    if (!fs::exists(path)) return path;
  }
}

/// Where to save. A file that is there is replaced only by its own continuation or by --force.
fs::path choose_checkpoint(const TrainArguments& args) {
  if (args.checkpoint.empty())
    return args.resume.empty() ? free_checkpoint() : fs::path(args.resume);
  const bool own = !args.resume.empty() && fs::exists(args.checkpoint) &&
                   fs::equivalent(args.checkpoint, args.resume);
  if (fs::exists(args.checkpoint) && !fs::is_directory(args.checkpoint) && !own && !args.force) {
    throw InputError(args.checkpoint + " is there already: --resume " + args.checkpoint +
                     " goes on with it, --force replaces it, another --checkpoint leaves it alone");
  }
  return args.checkpoint;
}

/// Create the folder and try to write there before the run, not after it.
void prepare_folder(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code error;
  fs::create_directories(folder, error);
  if (fs::is_directory(file)) {
    throw InputError(file.string() + " is a folder: name a file in it");
  }
  const fs::path probe = folder / (file.filename().string() + ".probe");
  const bool writable = bool(std::ofstream(probe));
  fs::remove(probe, error);
  if (!writable) {
    throw InputError("cannot write in " + folder.string() +
                     ": choose a folder of yours, or mend its "
                     "permissions");
  }
}

/// What may change when a run goes on: the length of the run and how it learns, not the model, not the
/// text.
void check_resumable(const TypedOptions& typed, const RunOptions& saved) {
  if (typed.has_recipe()) {
    throw InputError(
        "a run that goes on keeps its model: leave --recipe out, or start a new run without "
        "--resume");
  }
  RunOptions now = saved;
  typed.apply(now);
  for (const std::string& name : differing_options(saved, now)) {
    const bool may_change = name == "steps" || name == "threads" || name == "lr" ||
                            name == "clip" || name == "schedule" || name == "floor" ||
                            name == "warmup" || name == "weight-decay" || name == "text" ||
                            name == "device" || name == "precision";
    if (!may_change) {
      throw InputError("a run that goes on keeps its --" + name + " (" + get_option(saved, name) +
                       "): leave it out, or start a new run without --resume");
    }
  }
}

class CsvLog {
 public:
  CsvLog(const std::string& path, bool append) : path_(path) {
    if (path.empty()) return;
    const bool header = !append || !fs::exists(path);
    file_.open(path, append ? std::ios::app : std::ios::trunc);
    if (header)
      file_ << "step,loss,validation,learning_rate,gradient_norm,clip_scale,tokens,seconds\n";
    check();
  }
  void write(const StepReport& r, double validation) {
    if (path_.empty()) return;
    char line[256];
    (void)std::snprintf(line, sizeof line, "%ld,%.9g,%s,%.9g,%.9g,%.9g,%d,%.6f\n", r.step, r.loss,
                        std::isfinite(validation) ? std::to_string(validation).c_str() : "",
                        r.learning_rate, r.gradient_norm, r.clip_scale, r.tokens, r.seconds);
    file_ << line;
    file_.flush();
    if (!file_) {  // training is worth more than its log
      std::cerr << "\ncannot go on writing " << path_ << ": the log ends at step " << r.step
                << "\n";
      path_.clear();
    }
  }

 private:
  void check() const {
    if (!file_) {
      throw InputError("cannot write " + path_ +
                       ": make room or mend its permissions, or name another "
                       "file with --csv");
    }
  }
  std::string path_;
  std::ofstream file_;
};

/// Training with everything around it: validation, the log, saves, the bar, and the end.
class Session {
 public:
  Session(const TrainArguments& args, Run run, fs::path checkpoint)
      : args_(args),
        run_(std::move(run)),
        checkpoint_(std::move(checkpoint)),
        csv_(args.csv, !args.resume.empty()) {}

  [[nodiscard]] const Model<float>& model() const { return *run_.model; }
  /// "on 2 threads", "on NVIDIA H100 80GB HBM3 in bf16"
  [[nodiscard]] std::string place() const {
    if (!run_.device) return std::to_string(run_.trainer->pool().size()) + " threads";
    return run_.device->info().name + " in " +
           std::string(precision_name(run_.device->precision()));
  }

  int train() {
    Trainer& trainer = *run_.trainer;
    const long first = trainer.steps_done();
    long last = run_.options.steps;
    trainer.keep_last_good(true);
    catch_interrupts();

    Progress progress{
        .first = first, .last = last, .loss = NAN, .validation = NAN, .seconds_left = NAN};
    const auto start = Clock::now();
    auto saved = start;
    bool stopped = false;
    try {
      while (trainer.steps_done() < last || args_.minutes > 0) {
        const StepReport report = trainer.step();
        const double elapsed = seconds_since(start);
        const long done = report.step - first;

        // --minutes: after a few steps the speed tells how long the schedule should be
        if (args_.minutes > 0 && done == kMeasured) {
          last = first + long(double(done) * args_.minutes * 60 / elapsed);
          run_.options.steps = last = std::max(last, report.step + 1);
          trainer.set_total_steps(last);
        }

        const bool validate = args_.validate_every > 0 &&
                              (report.step % args_.validate_every == 0 || report.step == last);
        const double validation = validate ? trainer.evaluate(32) : NAN;
        csv_.write(report, validation);

        if (validate) progress.validation = validation;
        progress.step = report.step;
        progress.last = std::max(last, report.step);
        progress.loss =
            std::isfinite(progress.loss) ? 0.95 * progress.loss + 0.05 * report.loss : report.loss;
        progress.tokens_per_second = double(done) * report.tokens / elapsed;
        progress.seconds_left = args_.minutes > 0
                                    ? args_.minutes * 60 - elapsed
                                    : elapsed / double(done) * double(last - report.step);
        bar_.show(progress);

        if (seconds_since(saved) > args_.save_every) {
          try_to_save();
          saved = Clock::now();
        }
        stopped = interrupted();
        if (stopped || (args_.minutes > 0 && elapsed >= args_.minutes * 60)) break;
      }
    } catch (const NotFinite& e) {
      bar_.finish(progress);
      return give_up(e);
    }
    bar_.finish(progress);
    save_somewhere();
    return report_end(stopped);
  }

 private:
  static constexpr long kMeasured = 10;

  void save() {
    save_checkpoint(checkpoint_, run_.model->table(), run_.trainer->state(), run_metadata(run_));
  }
  /// In the middle of a run a full disk is no reason to stop: say so, and try again later.
  void try_to_save() {
    try {
      save();
    } catch (const InputError& e) {
      bar_.say(std::string(e.what()) + " (training goes on)");
    }
  }
  /// At the end nothing may be lost: where the disk is full, the folder for temporary files must do.
  void save_somewhere() {
    try {
      save();
    } catch (const InputError& e) {
      bar_.say(e.what());
      checkpoint_ = fs::temp_directory_path() / checkpoint_.filename();
      save();
    }
  }

  int give_up(const NotFinite& e) {
    const long step = run_.trainer->restore_last_good();
    save_somewhere();
    std::cerr << "Stopped: " << e.what()
              << ". That is the first value of the pass that was not finite.\n"
              << "A smaller --lr, a longer --warmup or --clip 1 often helps. The state of step "
              << step << " is in " << checkpoint_.string() << "\n";
    return 1;
  }

  int report_end(bool stopped) {
    const std::string path = checkpoint_.string();
    const bool writes = continues_text(objective_named(run_.options.objective));
    std::cerr << (stopped ? "Stopped; saved at step " : "Saved at step ")
              << run_.trainer->steps_done() << ": " << path << "\n";
    if (!stopped && args_.sample > 0) print_sample();
    std::cerr << "\n";
    if (writes) std::cerr << "  ./run generate --checkpoint " << path << "\n";
    std::cerr << "  ./run train --resume " << path << " --steps "
              << std::max(2 * run_.trainer->steps_done(), run_.options.steps) << "\n";
    return stopped ? 130 : 0;
  }

  void print_sample() {
    const Tokenizer& tokenizer = run_.source->tokenizer();
    Generator generator(*run_.model, run_.trainer->values(), run_.options.seed);
    if (run_.options.objective == "masked") {
      const FilledRow row = fill_row(*run_.source, generator, run_.options.length);
      std::cout << "\n"
                << printable(row.shown) << "\n\nfilled in brackets, " << row.right << " of "
                << row.blanks << " right:\n"
                << printable(row.filled) << "\n"
                << std::flush;
      return;
    }

    // A row with gaps ends with its answers; anything else may go on
    std::vector<int> tokens = run_.source->opening();
    if (tokens.empty()) return;
    const bool gaps = run_.options.objective == "span";
    const int count =
        gaps ? std::min(args_.sample, run_.options.length - int(tokens.size())) : args_.sample;
    std::cout << "\n"
              << printable(tokenizer.decode(tokens)) << (gaps ? "\n\nits gaps:\n" : "")
              << std::flush;
    std::string text;
    generator.generate(tokens, count, {}, [&](int token) {
      text += tokenizer.bytes_of(token);
      return !interrupted();
    });
    std::cout << printable(text) << "\n" << std::flush;
  }

  const TrainArguments& args_;
  Run run_;
  fs::path checkpoint_;
  CsvLog csv_;
  ProgressBar bar_;
};

int run_train(const TrainArguments& args) {
  // Everything that can be wrong is found before anything is written
  RunOptions options;
  std::optional<OpenedCheckpoint> resumed;
  if (!args.resume.empty()) {
    resumed = open_checkpoint(args.resume);
    check_resumable(args.typed, resumed->options);
    options = resumed->options;
  }
  args.typed.apply(options);
  if (resumed && resumed->state.step >= options.steps && args.minutes == 0) {
    throw InputError("The run has done its " + std::to_string(options.steps) +
                     " steps: give a larger "
                     "--steps, or --minutes, to go on");
  }
  const fs::path checkpoint = choose_checkpoint(args);
  put_mine_in_place(args.mine, options.device);

  SourceConfig config = source_config(options);
  if (resumed) config.learned = resumed->tokenizer;
  auto source = make_source(config);
  const std::string text = source->describe();
  Run run = make_run(options, std::move(source));
  if (resumed) run.trainer->set_state(resumed->state);

  prepare_folder(checkpoint);
  Session session(args, std::move(run), checkpoint);
  std::cerr << "Text: " << text << "\nModel: " << describe_model(options, session.model()) << "\n"
            << "Each step: " << options.batch << " sequences of " << options.length
            << " tokens, on " << session.place() << ". Ctrl-C saves and stops.\n";
  if (const std::string mine = slots_in_use(); !mine.empty()) {
    std::cerr << "In the model: " << mine << "\n";
  }
  return session.train();
}

}  // namespace

Command add_train(CLI::App& program) {
  auto args = std::make_shared<TrainArguments>();
  CLI::App* command = program.add_subcommand("train", "train a model in the terminal");
  command->footer(
      "Examples\n"
      "  ./run train                                  the default model on fables, 1000 steps\n"
      "  ./run train --text my.txt --minutes 3        any file, as long as you have time\n"
      "  ./run train --recipe gpt --norm rmsnorm      2019's model with one newer part\n"
      "  ./run train --text induction --layers 2      a task in which attention can be seen to "
      "work\n"
      "  ./run train --objective masked               hidden tokens, as BERT guesses them\n"
      "  ./run train --resume out/train-1.safetensors --steps 2000\n");
  command
      ->add_option("--minutes", args->minutes, "stop after this time, and end the schedule there")
      ->check(CLI::Range(0.01, 1e6).description(""))
      ->type_name("X");
  command->add_option("--checkpoint", args->checkpoint, "where to save (out/train-N.safetensors)")
      ->type_name("FILE");
  command->add_option("--resume", args->resume, "go on with this run, bit for bit")
      ->type_name("FILE");
  command->add_flag("--force", args->force, "let --checkpoint replace a file");
  command->add_option("--save-every", args->save_every, "seconds between saves (60)")
      ->check(CLI::Range(0.0, 1e9).description(""))
      ->type_name("X");
  command->add_option("--csv", args->csv, "write a line a step")->type_name("FILE");
  command->add_option("--validate-every", args->validate_every, "steps; 0: never (100)")
      ->check(CLI::Range(0, 1000000000).description(""))
      ->type_name("N");
  command->add_option("--sample", args->sample, "tokens to write at the end; 0: none (200)")
      ->check(CLI::Range(0, 1000000).description(""))
      ->type_name("N");
  command
      ->add_option("--mine", args->mine,
                   "put your own answers of exercises into the model: 12.1,rope; 12.1=eps_outside "
                   "puts a wrong answer there")
      ->type_name("ID,…");
  args->typed.add_to(*command);
  return [args] { return run_train(*args); };
}

}  // namespace tpp
