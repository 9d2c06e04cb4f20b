#include "viewer/panels/status_panel.h"

#include <cmath>
#include <deque>
#include <ostream>
#include <thread>

#include "viewer/panels/drawing.h"
#include "viewer/panels/telling.h"
#include "viewer/run/run_control.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

std::string megabytes(std::size_t bytes) {
  const double mib = double(bytes) / (1024.0 * 1024.0);
  return mib < 1000 ? number_text(mib, mib < 10 ? 2 : 3) + " MiB"
                    : number_text(mib / 1024, 3) + " GiB";
}

std::string percent(double share) {
  if (!std::isfinite(share)) return "NaN %";
  return formatted("%.1f %%", 100 * share);
}

}  // namespace

struct StatusPanel::State {
  PanelInfo info{"status", "Status", "", Slot::status};

  bool known = false;
  double watch = 0, samples = 0;
  double watch_seconds = 0, watch_trained = 0, sample_seconds = 0, sample_trained = 0;
  std::string history_sum;  // its arithmetic, in bytes
  int asked_threads = 0;
  std::size_t memory = 0, memory_b = 0, history = 0;
  std::size_t past = 0, past_budget = 0;  // bytes of kept states
  std::size_t kept = 0;                   // how many
  int threads = 1;
  std::string device;        // where it trains, if not on this processor
  std::string mine;          // what stands in the model in the place of the book's functions
  std::deque<double> drawn;  // when the last frames were drawn, in seconds

  // What changed from one frame to the next is what the last command did
  std::string message = "Ready.";
  bool had = false, was_playing = false, had_error = false;
  long was_step = 0;
  RunOptions was;
  Phase phase = Phase::update;

  void notice(const Frame& f, bool playing);
};

StatusPanel::StatusPanel() : state_(std::make_unique<State>()) {}
StatusPanel::~StatusPanel() = default;
const PanelInfo& StatusPanel::info() const { return state_->info; }
const std::string& StatusPanel::message() const { return state_->message; }
double StatusPanel::frames_per_second() const { return double(state_->drawn.size()); }

void StatusPanel::State::notice(const Frame& f, bool playing) {
  const std::string at = " at step " + with_thousands(f.step) + ".";
  if (had) {
    RunOptions same_rate = f.options;
    same_rate.learning_rate = was.learning_rate;
    if (!(same_rate == was)) {
      message = "Started anew:";
      const std::vector<std::string> names = differing_options(was, f.options);
      for (std::size_t i = 0; i < names.size() && i < 3; ++i)
        message += (i ? ", " : " ") + names[i] + " " + get_option(f.options, names[i]);
      message += names.size() > 3 ? ", …" : ".";
    } else if (f.options.learning_rate != was.learning_rate) {
      message = "Peak learning rate " + number_text(f.options.learning_rate, 2) + " from step " +
                with_thousands(f.step + 1) + ".";
    } else if (!f.error.empty() && !had_error) {
      message = "Stopped" + at;
    } else if (f.travelling_to >= 0) {
      message = "On the way to step " + with_thousands(f.travelling_to) + ": at " +
                with_thousands(f.step) + ".";
    } else if (!playing && f.step < f.frontier && f.step != was_step) {
      message =
          "Step " + with_thousands(f.step) + " of " + with_thousands(f.frontier) + ", as it was.";
    } else if (f.step < was_step) {
      message = f.step == 0 ? "Back at the start." : "Back" + at;
    } else if (playing != was_playing) {
      message =
          (playing ? "Playing, from step " : "Paused at step ") + with_thousands(f.step) + ".";
    } else if (!playing && f.phase != phase && f.phase != Phase::update) {
      message = f.phase == Phase::forward ? "Forward done: next is backward."
                                          : "Backward done: next is the update.";
    } else if (!playing && (f.step > was_step || f.phase != phase)) {
      message = "Step " + with_thousands(f.step) + " done.";
    }
  }
  had = true;
  was = f.options;
  was_playing = playing;
  had_error = !f.error.empty();
  was_step = f.step;
  phase = f.phase;
}

void StatusPanel::update(const ViewContext& context) {
  State& s = *state_;
  s.drawn.push_back(context.time);
  while (!s.drawn.empty() && !(s.drawn.front() > context.time - 1)) s.drawn.pop_front();
  while (s.drawn.size() > 1000) s.drawn.pop_front();
  const Frame* f = context.a;
  s.known = f != nullptr;
  if (!f) return;
  s.notice(*f, context.control ? context.control->playing() : f->playing);
  s.watch = f->watch_share;
  s.samples = f->sample_share;
  s.mine = labels_of((context.compare == Compare::b && context.b ? context.b : f)->parts);
  s.watch_seconds = f->watch_seconds;
  s.watch_trained = f->watch_trained;
  s.sample_seconds = f->sample_seconds;
  s.sample_trained = f->sample_trained;
  s.asked_threads = f->options.threads;
  s.memory = f->memory_bytes;
  s.past = f->past_bytes;
  s.past_budget = f->past_budget;
  s.kept = f->kept.size();
  s.memory_b = context.b ? context.b->memory_bytes : 0;
  if (context.b) {
    s.past += context.b->past_bytes;
    s.past_budget += context.b->past_budget;
    s.kept += context.b->kept.size();
  }
  s.threads = f->options.threads > 0 ? f->options.threads
                                     : std::max(1, int(std::thread::hardware_concurrency()));
  s.device = f->options.device == "cpu" ? "" : f->options.device + ", " + f->options.precision;
  s.history = 0;
  s.history_sum.clear();
  for (const History* h : {context.history, context.history_b}) {
    if (!h || h->steps.empty()) continue;
    const std::size_t each =
        sizeof(StepScalars) + h->steps.back().parameters.size() * sizeof(ParameterReport);
    s.history += h->steps.size() * each;
    s.history_sum += (s.history_sum.empty() ? "" : " + ") +
                     whole_number((long long)(h->steps.size())) + " · " +
                     whole_number((long long)(each));
  }
}

void StatusPanel::draw(ViewContext& context) {
  const State& s = *state_;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Rect r{context.rect.x, context.rect.y, context.rect.w, std::min(context.rect.h, t.px(24))};
  const float y = std::floor(r.y + (r.h - t.font_size(Font::small)) / 2);
  const FontScope small(t, Font::small);

  // Keys at the right: they stay longest
  const auto key_of = [&](const char* id, const char* otherwise) {
    const Command* command = context.commands.find(id);
    return command && command->shortcut ? command->shortcut.text() : std::string(otherwise);
  };
  const std::string hints =
      key_of("view.help", "F1") + " keys    " + key_of("view.palette", "Ctrl+K") + " commands";
  float right = r.right() - text_width(context, Font::small, hints);
  if (right > r.x) put_text(context, list, right, y, p.muted, hints);
  right -= t.px(24);

  // Numbers, as far as they fit, each with what it means
  float x = r.x;
  const auto item = [&](const char* id, const std::string& name, const std::string& value,
                        Rgba colour, const char* meaning, Told told = {}) {
    const float name_w = text_width(context, Font::small, name) + t.px(6);
    const float w = name_w + text_width(context, Font::small, value);
    if (x + w > right) return;
    put_text(context, list, x, y, p.muted, name);
    put_text(context, list, x + name_w, y, colour, value);
    const std::string probe = std::string("status/") + id;
    context.probes.record(probe, {x, r.y, w, r.h});
    if (ImGui::IsMouseHoveringRect(ImVec2(x, r.y), ImVec2(x + w, r.bottom())) &&
        tooltip_ready(context, probe)) {
      told.name = told.name.empty() ? name + " " + value : told.name;
      told.why = meaning;
      if (told.formula.empty()) {
        draw_tooltip(context, {.name = told.name, .why = told.why});
      } else {
        draw_tooltip(context, explanation_of(told));
      }
    }
    x += w + t.px(20);
  };
  const auto share = [](const char* name, const char* what, double spent, double trained) {
    Told told;
    told.name = std::string(name) + ", as a share of training";
    told.formula = std::string("seconds spent on ") + what + " / seconds of training";
    told.numbers = number_text(spent, 5) + " / " + number_text(trained, 5);
    told.value = trained > 0 ? spent / trained : 0;
    if (!(trained > 0)) told.numbers = "0" + aside(": nothing was trained yet");
    told.note = " (" + percent(told.value) + ")";
    told.source = "viewer/run/governor.h: share";
    return told;
  };
  const auto bytes = [](const std::string& name, const char* formula, const std::string& sum,
                        std::size_t all, const char* source, const std::string& note = {}) {
    Told told;
    told.name = name;
    told.formula = std::string(formula) + ",  / 2²⁰ for MiB";
    told.numbers = (sum == "()" ? "0" : sum) + " / 1,048,576";
    told.value = double(all) / 1048576;
    told.unit = "MiB";
    told.note = note;
    told.source = source;
    return told;
  };
  if (const std::string& mine = s.mine; !mine.empty()) {
    const bool broken = mine.find("WRONG ANSWER") != std::string::npos;
    item("mine", "in the model", elide(mine, t.px(420)), broken ? p.warning : p.text,
         "Functions of yours that stand in the model instead of the book's. Ctrl+K and \"mine\" "
         "switches them.");
  }
  if (s.known) {
    const bool dear = !(s.watch <= 0.05);
    item("watch", "watching", percent(s.watch), dear ? p.warning : p.text,
         "What this window costs the run. Panels that are closed ask for nothing.",
         share("Watching", "pictures for the window", s.watch_seconds, s.watch_trained));
    item("samples", "writing", percent(s.samples), p.text, "What the generated text costs the run.",
         share("Writing", "generated text", s.sample_seconds, s.sample_trained));
    item("memory", "memory",
         s.memory_b > 0 ? "A " + megabytes(s.memory) + " + B " + megabytes(s.memory_b)
                        : megabytes(s.memory),
         p.text, "Each run holds tapes, parameters, gradients, and the optimiser's moments.",
         bytes("Memory of the run" + std::string(s.memory_b > 0 ? "s A and B" : ""),
               "tapes + parameters + gradients + moments",
               s.memory_b > 0 ? "({A|A " + whole_number((long long)(s.memory)) + "} + {B|B " +
                                    whole_number((long long)(s.memory_b)) + "})"
                              : whole_number((long long)(s.memory)),
               s.memory + s.memory_b, "chapters/11_gpt/trainer.cpp: memory_bytes"));
    item("past", "past", megabytes(s.past) + " of " + megabytes(s.past_budget), p.text,
         "States that are kept, to go back in time. Without room, every other one goes.",
         bytes(std::to_string(s.kept) + " kept states of the past",
               "Σ over kept states of parameters + moments", whole_number((long long)(s.past)),
               s.past, "viewer/run/timeline.cpp: bytes", ", of " + megabytes(s.past_budget)));
    item("history", "history", megabytes(s.history), p.text,
         "The numbers of every step, kept for the curves.",
         bytes("Numbers of past steps", "steps · bytes of a step", "(" + s.history_sum + ")",
               s.history, "viewer/run/frame.h: StepScalars"));
    if (s.device.empty()) {
      item("threads", "threads", std::to_string(s.threads), p.text,
           "They compute gradients. Their number does not change a bit of the result.",
           {.name = "Threads of a run",
            .formula = s.asked_threads > 0 ? "as the option threads says" : "one for each core",
            .numbers = std::to_string(s.threads),
            .value = double(s.threads),
            .source = "chapters/11_gpt/trainer.h: threads",
            .digits = 0});
    } else {
      item("threads", "on", s.device, p.text,
           "Where the run trains, and in which precision. The pictures come from there too.");
    }
  }
  item("frames", "drawn", std::to_string(s.drawn.size()) + "/s", p.text,
       "When nothing changes, nothing is drawn.",
       {.name = "Frames of this window in the last second",
        .formula = "frames / seconds",
        .numbers = std::to_string(s.drawn.size()) + " / 1",
        .value = double(s.drawn.size()),
        .source = "viewer/panels/status_panel.cpp: frames_per_second",
        .digits = 0});

  const float room = right - x;
  if (room > t.px(60)) {
    const std::string text = elide(s.message, room);
    list->AddRectFilled(ImVec2(x - t.px(8), r.y + t.px(6)),
                        ImVec2(x - t.px(8) + t.px(1), r.bottom() - t.px(6)), p.border);
    put_text(context, list, x + t.px(6), y, p.text, text);
    context.probes.record("status/message", {x, r.y, room, r.h});
  }
}

std::string StatusPanel::explain() const {
  return "What the window costs the run, in percent of the training time, how much memory the run "
         "holds, and what the last command did. Pictures are made only of what is on the screen, "
         "so closing a panel makes watching cheaper.";
}

void StatusPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known) return;
  out << "watch_share,sample_share,memory_bytes,past_bytes,history_bytes,threads,frames_per_"
         "second\n"
      << s.watch << ',' << s.samples << ',' << s.memory + s.memory_b << ',' << s.past << ','
      << s.history << ',' << s.threads << ',' << s.drawn.size() << '\n';
}

}  // namespace tpp::viewer
