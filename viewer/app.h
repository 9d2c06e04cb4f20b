// The window's program: brings frames, panels, commands and layout together, frame by frame.
//
// The order of a frame: poll input, take what the run has published, ask the visible panels what they
// want to see next, let them compute, draw. When nothing has changed, nothing is drawn.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viewer/backend.h"
#include "viewer/break/break_it.h"
#include "viewer/hidden.h"
#include "viewer/panel.h"
#include "viewer/reader/reader.h"
#include "viewer/run/run_thread.h"
#include "viewer/session.h"
#include "viewer/shell.h"
#include "viewer/tour_view.h"
#include "viewer/view_context.h"

namespace tpp::viewer {

struct AppConfig {
  Appearance appearance = Appearance::dark;
  float zoom = 1;                         // on top of the display's scale
  std::filesystem::path out = "out";      // where pictures, numbers and checkpoints are written
  std::filesystem::path root = ".";       // where chapters/ is, for the reader
  std::filesystem::path session;          // where the session is saved; empty: nowhere
  LoadStandIns load = load_wrong_answer;  // how wrong answers come into the model
};

class App {
 public:
  /// Backend and run must outlive the application.
  App(Backend& backend, RunThread& run, AppConfig config);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// One whole frame.
  void frame(bool present = true);

  /// Frames until the window is closed, or this many, or until `stop` says so; sleeps while nothing
  /// changes, at most a second at a time.
  void loop(long frames = -1, const std::function<bool()>& stop = {});
  [[nodiscard]] long frames_drawn() const { return frames_; }

  /// Go on from scalars that were drained before.
  void keep(History history) { history_ = std::move(history); }

  /// A sentence over everything for a while. Errors stay until they are clicked away.
  void toast(std::string sentence, bool error = false);

  [[nodiscard]] Session session() const;
  /// Arrange the view as in a session; the run's options and its fork are the caller's business.
  void apply(const Session& session);

  // Panels by their id; names that do not exist are ignored
  [[nodiscard]] std::vector<std::string> panel_ids() const;
  [[nodiscard]] std::string title(const std::string& id) const;
  void bring_forward(const std::string& id);  // its tab; its slot in a narrow window
  /// Where the panel is drawn, its title bar included; nothing while it is not visible.
  [[nodiscard]] std::optional<Rect> panel_rect(const std::string& id) const;
  /// Of the last presented frame: the panel, or with an empty id the window.
  [[nodiscard]] Image picture(const std::string& id = {});
  [[nodiscard]] std::string csv(const std::string& id) const;

  // Guided tours (viewer/tour.h)
  bool start_tour(const std::string& id);  // false: there is none of this name
  void offer_tour();                       // "The window in one minute", to who is here first
  [[nodiscard]] const TourGuide& tours() const { return *guide_; }

  /// Is a visible panel still waiting for something that is made elsewhere?
  [[nodiscard]] bool waiting() const;

  void set_appearance(Appearance appearance);
  void set_zoom(float zoom);

  /// Which run the panels show; A while there is no B.
  [[nodiscard]] Compare compare() const { return frame_b_ ? compare_ : Compare::a; }
  void set_compare(Compare compare);

  /// B will begin when A has come to this step. What is shown then is set_compare()'s.
  /// Errors  InputError when B's options cannot be
  void plan_fork(ForkPlan plan);
  void play();

  // For scripts and tests
  [[nodiscard]] const Probes& probes() const { return probes_; }
  [[nodiscard]] Selection& selection() { return selection_; }
  [[nodiscard]] Layout& layout() { return layout_; }
  [[nodiscard]] Reader& reader() { return reader_; }
  [[nodiscard]] BreakIt& breaks() { return breaks_; }
  [[nodiscard]] Commands& commands() { return commands_; }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] const std::shared_ptr<const Frame>& shown() const { return frame_; }
  [[nodiscard]] const std::shared_ptr<const Frame>& shown_b() const { return frame_b_; }
  [[nodiscard]] const History& history_b() const { return history_b_; }
  [[nodiscard]] const Theme& theme() const { return theme_; }
  [[nodiscard]] std::vector<std::string> toasts() const;

 private:
  struct Toast {
    std::string text;
    bool error = false;
    double until = 0;  // seconds of the application's clock
  };
  class Guard;     // a RunControl that turns refusals into toasts
  class TourEyes;  // viewer/app_tour.h

  void add_commands();
  void attempt(const std::function<void()>& action);  // errors become toasts
  void rebuild_fonts();
  void take_news();
  void redraw_by(double time);  // of clock()
  void forget_impossible_selection();
  bool input_changed();
  [[nodiscard]] double clock() const;  // seconds since the start

  [[nodiscard]] ViewContext context(const Ui& ui, const Rect& rect);
  [[nodiscard]] std::vector<Panel*> panels_in(Slot slot) const;
  [[nodiscard]] Panel* active_panel(Slot slot) const;
  [[nodiscard]] Panel* find(const std::string& id) const;
  [[nodiscard]] Panel* panel_under_mouse() const;

  void draw_slot(Ui& ui, Slot slot, const Rect& rect);
  void draw_reader(Ui& ui, const Rect& rect);
  void read_chapter(const std::string& folder);
  void grant(const ReaderWish& wish);
  void open_code();
  void draw_time(Ui& ui, const Rect& rect);
  void go_to_step(long step);
  void forget_step();
  void fork(ForkAt at);
  void close_fork();
  void follow_plan();
  void grant(const BreakWish& wish);
  void draw_explanation(Ui& ui);
  void draw_toasts(Ui& ui);
  void act(Panel& panel, const PanelAction& action);

  void load_tours_and_commands();
  void leave_tour();
  void after_tour();
  void draw_tour(Ui& ui);

  void export_picture(const std::string& id);  // after the next presented frame
  void export_csv(const std::string& id);
  void write_exports();
  [[nodiscard]] std::filesystem::path export_name(const std::string& what,
                                                  const char* suffix) const;

  Backend& backend_;
  RunThread& run_;
  AppConfig config_;
  std::unique_ptr<Guard> guard_;
  Theme theme_;
  Probes probes_;
  HoverClock hover_;
  Selection selection_;
  Commands commands_;
  Layout layout_;
  LayoutFrame slots_;
  std::vector<std::unique_ptr<Panel>> panels_;
  std::array<int, kSlots> active_{};  // the shown tab of each slot

  std::shared_ptr<const Frame> frame_, frame_b_;  // of the same step
  History history_, history_b_;
  Compare compare_ = Compare::a;
  std::optional<ForkPlan> plan_;   // of a B that is still to begin
  bool plan_plays_ = false;        // and then both play
  std::optional<long> scrubbing_;  // the step that the strip was dragged to, until the run is there
  unsigned long sought_from_ = 0;  // the frame that was shown when it was asked to go there
  std::string told_error_;         // why the run had stopped, in the last frame
  std::vector<Toast> toasts_;
  CodePlaces code_;
  Reader reader_;
  BreakIt breaks_;
  Hidden hidden_;           // by the session
  bool is_lesson_ = false;  // the session is a teacher's: it is not written
  std::unique_ptr<TourGuide> guide_;
  std::unique_ptr<TourEyes> tour_eyes_;
  TourView tour_view_;
  std::string layout_before_tour_;  // when the reader stood open; empty otherwise
  bool offering_ = false;
  std::string explained_;         // the panel that is being explained; empty for none
  float explanation_height_ = 0;  // of its window in the last frame
  std::vector<std::string> wanted_pictures_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  bool fonts_are_old_ = true;
  long frames_ = 0;
  double redraw_at_ = 0;  // the clock's time at which something changes by itself; 0: never
  bool input_seen_ = false;
  std::array<float, 8> last_input_{};
};

}  // namespace tpp::viewer
