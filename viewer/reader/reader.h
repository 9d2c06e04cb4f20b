// The book beside the panels: a page at a time, with its formulas, code and links.
//
// A link to docs/viewer.md moves the viewer: its anchor is a panel, its query a place in the model or
// an option of the run. A link to a text opens it here, one to code shows the file at its lines.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/book/document.h"
#include "viewer/reader/figures.h"
#include "viewer/reader/page.h"
#include "viewer/selection.h"
#include "viewer/ui.h"

namespace tpp::viewer {

/// What a link asks of the window.
struct ReaderWish {
  std::string panel;                                         // to bring forward; empty: none
  Place place;                                               // to lock
  std::vector<std::pair<std::string, std::string>> options;  // to restart the run with
  std::string kernel;                                        // "05/softmax/v1_thread_per_row"
  std::string tour;                                          // to begin: "13"
  std::string address;  // of the world outside: for the clipboard
  std::string problem;  // a sentence: why the link leads nowhere

  [[nodiscard]] bool empty() const {
    return panel.empty() && place.empty() && options.empty() && kernel.empty() && tour.empty() &&
           address.empty() && problem.empty();
  }
};

/// "layer=1&head=0&set=norm:layernorm" and the anchor "attention" → a wish. Words that are unknown, and
/// numbers that are none, make a problem.
[[nodiscard]] ReaderWish viewer_link(std::string_view query, std::string_view anchor);

class Reader {
 public:
  /// `root` is the folder with chapters/.
  explicit Reader(std::filesystem::path root);

  /// Open a text or a file of code, by its path from the root. False, and nothing changes, where there
  /// is none.
  bool open(const std::string& file, std::string_view anchor = {});
  void open_chapter(const std::string& folder) { open("chapters/" + folder + "/README.md"); }
  bool back();
  bool step_chapter(int by);  // to the next chapter, or with −1 the one before

  /// Fill the current ImGui window from the cursor on. Returns what a clicked link asks for.
  [[nodiscard]] ReaderWish draw(Ui& ui);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const book::Document& document() const { return document_; }
  [[nodiscard]] const std::vector<std::string>& chapters() const { return chapters_; }  // folders
  [[nodiscard]] bool has_tour(const std::string& folder) const { return tours_.contains(folder); }
  [[nodiscard]] std::string chapter_title(const std::string& folder) const;
  /// Where the page is scrolled to, 0 … 1.
  [[nodiscard]] float progress() const;

  /// The page and the place in it, for the session file; and back.
  [[nodiscard]] std::string settings() const;
  void restore(const std::string& text);

 private:
  [[nodiscard]] std::optional<std::string> read(const std::string& file) const;
  ReaderWish follow(const std::string& target);
  void go_to_anchor(std::string_view anchor);
  ReaderWish draw_bar(Ui& ui);
  void lay_out_for(Ui& ui, float width);
  std::string draw_canvas(Ui& ui, const Canvas& canvas, ImVec2 origin, const Rect& view,
                          const char* name);

  std::filesystem::path root_;
  Figures figures_;
  std::vector<std::string> chapters_;
  std::set<std::string> tours_;  // folders with a tour.md
  mutable std::map<std::string, std::string> titles_;

  std::string file_;
  book::Document document_;
  Page page_;
  float laid_out_width_ = -1, laid_out_scale_ = 0;
  Appearance laid_out_look_ = Appearance::dark;

  std::vector<std::pair<std::string, float>> past_;  // pages, and where in them
  std::map<std::string, float> places_;              // scroll of each page, in parts of its height
  std::string wanted_anchor_;
  int place_frames_ = 0;  // to go to `scroll_`: ImGui knows the height of a new page one frame late
  float scroll_ = 0;      // in parts of the page's height
  int marked_first_ = 0, marked_last_ = 0;  // lines of code that a link pointed at
};

}  // namespace tpp::viewer
