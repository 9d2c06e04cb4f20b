// The book beside the panels.
#include "viewer/reader/reader.h"

#include <imgui.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include "chapters/01_tensor/errors.h"
#include "tools/book/highlight.h"
#include "viewer/compat.h"
#include "viewer/panels/drawing.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

constexpr const char* kViewerPage = "docs/viewer.md";
constexpr std::uintmax_t kLargestFile = 4 << 20;  // bytes

std::optional<long> whole_number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return {};
  return value;
}

/// Code as a document of one block.
book::Document code_page(const std::string& file, std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  const int lines = int(std::count(text.begin(), text.end(), '\n'));
  book::Document page;
  book::Block title{.kind = book::BlockKind::heading, .level = 2};
  title.spans.push_back({.kind = book::SpanKind::text, .text = file});
  page.blocks.push_back(std::move(title));
  book::Block code{.kind = book::BlockKind::code, .text = std::move(text)};
  code.language = book::language_of(file);
  code.snippet = book::Snippet{.file = file, .first = 1, .last = lines};
  page.blocks.push_back(std::move(code));
  return page;
}

}  // namespace

ReaderWish viewer_link(std::string_view query, std::string_view anchor) {
  ReaderWish wish;
  wish.panel = anchor;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view word = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals),
                           value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    if (name == "parameter" && !value.empty()) {
      wish.place.parameter = std::string(value);
      continue;
    }
    if (name == "kernel" && !value.empty()) {
      wish.kernel = std::string(value);
      continue;
    }
    if (name == "tour" && !value.empty()) {
      wish.tour = std::string(value);
      continue;
    }
    if (name == "set") {
      const std::size_t colon = value.find(':');
      if (colon != std::string_view::npos && colon > 0) {
        wish.options.emplace_back(value.substr(0, colon), value.substr(colon + 1));
        continue;
      }
    }
    const std::optional<long> number = whole_number(value);
    Place& place = wish.place;
    if (number && name == "layer")
      place.layer = int(*number);
    else if (number && name == "head")
      place.head = int(*number);
    else if (number && name == "query")
      place.query = int(*number);
    else if (number && name == "key")
      place.key = int(*number);
    else if (number && name == "pair")
      place.pair = int(*number);
    else if (number && name == "step")
      place.step = *number;
    else
      wish.problem =
          "This link says \"" + std::string(word) + "\", which the viewer does not know.";
  }
  return wish;
}

Reader::Reader(fs::path root) : root_(std::move(root)), figures_(root_) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_ / "chapters", error)) {
    if (fs::is_regular_file(entry.path() / "README.md", error)) {
      chapters_.push_back(entry.path().filename().string());
      if (fs::is_regular_file(entry.path() / "tour.md", error)) tours_.insert(chapters_.back());
    }
  }
  std::sort(chapters_.begin(), chapters_.end());
}

std::optional<std::string> Reader::read(const std::string& file) const {
  std::error_code error;
  const fs::path path = root_ / file;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kLargestFile) return {};
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) return {};
  return text;
}

std::string Reader::chapter_title(const std::string& folder) const {
  const auto [at, is_new] = titles_.try_emplace(folder);
  if (is_new) {
    at->second = folder;
    std::ifstream in(root_ / "chapters" / folder / "README.md");
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("# ")) continue;
      at->second = line.substr(2);
      break;
    }
  }
  return at->second;
}

bool Reader::open(const std::string& file, std::string_view anchor) {
  if (file != file_) {
    const std::optional<std::string> inside = book::resolve_path("README.md", file);
    if (!inside) return false;  // only from this book
    std::string path = *inside;
    std::error_code error;
    if (fs::is_directory(root_ / path, error))
      path += path.ends_with('/') ? "README.md" : "/README.md";
    std::optional<std::string> text = read(path);
    if (!text) return false;
    if (!file_.empty()) {
      places_[file_] = scroll_;
      past_.emplace_back(file_, scroll_);
      if (past_.size() > 100) past_.erase(past_.begin());
    }
    file_ = path;
    document_ =
        path.ends_with(".md") ? book::parse_document(*text) : code_page(path, std::move(*text));
    laid_out_width_ = -1;
    const auto kept = places_.find(file_);
    scroll_ = kept == places_.end() ? 0 : kept->second;
    place_frames_ = 2;
    marked_first_ = marked_last_ = 0;
  }
  if (!anchor.empty()) wanted_anchor_ = anchor;
  return true;
}

bool Reader::back() {
  while (!past_.empty()) {
    const auto [file, scroll] = past_.back();
    past_.pop_back();
    const std::size_t kept = past_.size();
    if (!open(file)) continue;
    past_.resize(std::min(kept, past_.size()));  // going back is no step forward
    scroll_ = scroll;
    place_frames_ = 2;
    return true;
  }
  return false;
}

bool Reader::step_chapter(int by) {
  const auto at = std::find_if(chapters_.begin(), chapters_.end(), [&](const std::string& folder) {
    return file_.starts_with("chapters/" + folder + "/");
  });
  if (at == chapters_.end()) {
    if (chapters_.empty()) return false;
    open_chapter(by > 0 ? chapters_.front() : chapters_.back());
    return true;
  }
  const auto to = (at - chapters_.begin()) + by;
  if (to < 0 || to >= std::ptrdiff_t(chapters_.size())) return false;
  open_chapter(chapters_[std::size_t(to)]);
  return true;
}

ReaderWish Reader::follow(const std::string& target) {
  ReaderWish wish;
  const book::Target parts = book::split_target(target);
  if (parts.external) {
    wish.address = target;
    return wish;
  }
  std::string file = file_;
  if (!parts.path.empty()) {
    const std::optional<std::string> resolved = book::resolve_path(file_, parts.path);
    if (!resolved) {
      wish.problem = "This link leads out of the book: " + target + ".";
      return wish;
    }
    file = *resolved;
  }
  if (file == kViewerPage && (!parts.anchor.empty() || !parts.query.empty())) {
    return viewer_link(parts.query, parts.anchor);
  }
  if (!open(file, parts.anchor)) {
    wish.problem = "There is no file " + file + " to read.";
    return wish;
  }
  if (parts.first_line > 0) {
    marked_first_ = parts.first_line;
    marked_last_ = std::max(parts.first_line, parts.last_line);
  }
  return wish;
}

float Reader::progress() const { return scroll_; }

std::string Reader::settings() const {
  if (file_.empty()) return "";
  char place[16];
  std::snprintf(place, sizeof place, "%d", int(std::lround(scroll_ * 10000)));
  return std::string(place) + " " + file_;
}

void Reader::restore(const std::string& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return;
  const std::optional<long> place = whole_number(std::string_view(text).substr(0, space));
  // The file is from this book, or it is not opened
  const std::optional<std::string> file = book::resolve_path("README.md", text.substr(space + 1));
  if (!place || *place > 10000 || !file || !open(*file)) return;
  past_.clear();
  scroll_ = float(*place) / 10000;
  place_frames_ = 2;
}

// --- Drawing ----------------------------------------------------------------------------------------

void Reader::lay_out_for(Ui& ui, float width) {
  const Theme& t = ui.theme;
  if (laid_out_width_ == width && laid_out_scale_ == t.scale() && laid_out_look_ == t.appearance())
    return;
  if (laid_out_width_ < 0) figures_.forget_pictures();  // of the page before
  page_ = lay_out(
      document_, t, width,
      [&](const std::string& target, float w) {
        const std::optional<std::string> file = book::resolve_path(file_, target);
        return file ? figures_.height(*file, w) : 0.0f;
      },
      [&](const std::string& file) { return read(file).value_or(""); });
  if (laid_out_width_ > 0 || scroll_ > 0) place_frames_ = 2;  // the same lines stay in view
  laid_out_width_ = width;
  laid_out_scale_ = t.scale();
  laid_out_look_ = t.appearance();
}

ReaderWish Reader::draw_bar(Ui& ui) {
  const Theme& t = ui.theme;
  ReaderWish wish;
  const auto button = [&](const char* id, const char* text, bool enabled) {
    if (!enabled) ImGui::PushStyleVar(ImGuiStyleVar_Alpha, 0.4f);
    const bool clicked = ImGui::Button(text) && enabled;
    if (!enabled) ImGui::PopStyleVar();
    ui.probe(std::string("reader/") + id);
    ImGui::SameLine(0, t.px(6));
    return clicked;
  };
  const auto here = std::find_if(
      chapters_.begin(), chapters_.end(),
      [&](const std::string& folder) { return file_.starts_with("chapters/" + folder + "/"); });
  const bool in_chapter = here != chapters_.end();
  if (button("back", "←", !past_.empty())) back();
  if (button("previous", "◀", in_chapter && here != chapters_.begin())) step_chapter(-1);
  if (button("next", "▶", !in_chapter || here + 1 != chapters_.end())) step_chapter(1);
  if (in_chapter && has_tour(*here)) {
    if (button("tour", "Tour", true)) wish.tour = here->substr(0, 2);
    hint(ui, "A few steps that show this chapter's idea in the live model");
  }

  // The list of chapters
  const float room = std::max(t.px(60), ImGui::GetContentRegionAvail().x - t.px(4));
  ImGui::SetNextItemWidth(room);
  const std::string title = in_chapter ? chapter_title(*here) : file_.empty() ? "Contents" : file_;
  if (ImGui::BeginCombo("##contents", title.c_str(), ImGuiComboFlags_HeightLarge)) {
    if (ImGui::Selectable("The front page", file_ == "README.md")) open("README.md");
    for (const std::string& folder : chapters_) {
      const bool on = in_chapter && folder == *here;
      if (ImGui::Selectable(chapter_title(folder).c_str(), on)) open_chapter(folder);
      ui.probe("reader/chapter/" + folder.substr(0, 2));
    }
    for (const char* file : {"docs/notation.md", "docs/viewer.md", "kernels/README.md",
                             "bench/README.md", "docs/decisions.md"}) {
      if (ImGui::Selectable(file, file_ == file)) open(file);
    }
    ImGui::EndCombo();
  }
  ui.probe("reader/contents");
  return wish;
}

std::string Reader::draw_canvas(Ui& ui, const Canvas& canvas, ImVec2 origin, const Rect& view,
                                const char* name) {
  const Theme& t = ui.theme;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const auto seen = [&](float y, float h) {
    return origin.y + y + h >= view.y && origin.y + y <= view.bottom();
  };
  for (const Canvas::Fill& fill : canvas.fills) {
    if (!seen(fill.rect.y, fill.rect.h)) continue;
    list->AddRectFilled(ImVec2(origin.x + fill.rect.x, origin.y + fill.rect.y),
                        ImVec2(origin.x + fill.rect.right(), origin.y + fill.rect.bottom()),
                        fill.colour, fill.rounding);
  }
  std::string clicked;
  for (std::size_t i = 0; i < canvas.links.size(); ++i) {
    const Canvas::Link& link = canvas.links[i];
    if (!seen(link.rect.y, link.rect.h)) continue;
    const ImVec2 at(origin.x + link.rect.x, origin.y + link.rect.y);
    ImGui::SetCursorScreenPos(at);
    ImGui::PushID(int(i));
    if (ImGui::InvisibleButton(name,
                               ImVec2(std::max(1.0f, link.rect.w), std::max(1.0f, link.rect.h)))) {
      clicked = link.target;
    }
    ImGui::PopID();
    ui.probe("reader/link/" + link.target);
    const bool hovered = ImGui::IsItemHovered();
    if (hovered) ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
    const float y = at.y + link.rect.h - t.px(1);
    list->AddLine(ImVec2(at.x, y), ImVec2(at.x + link.rect.w, y),
                  with_alpha(ui.colours().accent, hovered ? 255 : 90));
  }
  for (const Canvas::Text& text : canvas.texts) {
    if (!seen(text.at.y, text.size)) continue;
    list->AddText(t.font(text.font), text.size, ImVec2(origin.x + text.at.x, origin.y + text.at.y),
                  text.colour, text.text.data(), text.text.data() + text.text.size());
  }
  for (const Canvas::Formula& formula : canvas.formulas) {
    if (!seen(formula.baseline.y - formula.box.height, formula.box.height + formula.box.depth))
      continue;
    draw_formula(list, t, formula.box,
                 ImVec2(origin.x + formula.baseline.x, origin.y + formula.baseline.y),
                 formula.colour);
  }
  return clicked;
}

ReaderWish Reader::draw(Ui& ui) {
  const Theme& t = ui.theme;
  ReaderWish wish = draw_bar(ui);
  if (file_.empty()) return wish;

  compat::begin_child("page", ImVec2(0, 0), false);
  // Lines of about 75 letters are read best; what is left is margin
  const float room = std::max(1.0f, ImGui::GetContentRegionAvail().x - t.px(14));
  const float width = std::min(room, t.em() * 46);
  lay_out_for(ui, width);

  // Where it was, or where a link points
  const float window_height = ImGui::GetWindowHeight();
  const float most = std::max(0.0f, page_.height - window_height);
  if (!wanted_anchor_.empty()) {
    go_to_anchor(wanted_anchor_);
    wanted_anchor_.clear();
    place_frames_ = 2;
  }
  if (place_frames_ > 0) {
    ImGui::SetScrollY(std::min(most, scroll_ * page_.height));
  }

  const ImVec2 corner = ImGui::GetCursorScreenPos();
  const ImVec2 origin(corner.x + std::floor((room - width) / 2), corner.y);
  const ImVec2 at = ImGui::GetWindowPos();
  const Rect view{at.x, at.y, ImGui::GetWindowWidth(), window_height};
  std::string target = draw_canvas(ui, page_.body, origin, view, "link");

  // Blocks with a box of their own
  for (std::size_t i = 0; i < page_.wide.size(); ++i) {
    const Page::Wide& wide = page_.wide[i];
    if (origin.y + wide.rect.bottom() < view.y || origin.y + wide.rect.y > view.bottom()) continue;
    const ImVec2 place(origin.x + wide.rect.x, origin.y + wide.rect.y);
    const bool scrolls = wide.inside.width > wide.rect.w;
    ImVec2 inside = place;
    if (scrolls) {
      ImGui::SetCursorScreenPos(place);
      compat::begin_child(
          ("wide" + std::to_string(i)).c_str(), ImVec2(wide.rect.w, wide.rect.h), false,
          ImGuiWindowFlags_HorizontalScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
      inside = ImGui::GetCursorScreenPos();
    }
    // The lines that a link pointed at
    if (marked_first_ > 0 && wide.line == 1 && wide.line_height > 0) {
      ImGui::GetWindowDrawList()->AddRectFilled(
          ImVec2(inside.x, inside.y + t.px(8) + float(marked_first_ - 1) * wide.line_height),
          ImVec2(inside.x + std::max(wide.rect.w, wide.inside.width),
                 inside.y + t.px(8) + float(marked_last_) * wide.line_height),
          with_alpha(ui.colours().accent, 40));
    }
    const std::string hit = draw_canvas(ui, wide.inside, inside, view, "inner");
    if (!hit.empty()) target = hit;
    if (scrolls) {
      ImGui::SetCursorScreenPos(
          ImVec2(inside.x + wide.inside.width - 1, inside.y + wide.inside.height - 1));
      ImGui::Dummy(ImVec2(1, 1));
      // Shift and the wheel, or a wheel that tilts, move it sideways; the page keeps the other way
      ImGui::EndChild();
    }
  }
  for (const Page::Picture& picture : page_.pictures) {
    if (origin.y + picture.rect.bottom() < view.y || origin.y + picture.rect.y > view.bottom())
      continue;
    const Rect rect{origin.x + picture.rect.x, origin.y + picture.rect.y, picture.rect.w,
                    picture.rect.h};
    if (!picture.plot.empty()) {
      figures_.draw_plot_named(ui, picture.plot, rect);
    } else if (const auto file = book::resolve_path(file_, picture.target)) {
      figures_.draw_picture(ui, *file, rect);
    }
  }

  // The page's whole height, so that it scrolls
  ImGui::SetCursorScreenPos(ImVec2(corner.x, corner.y + page_.height - 1));
  ImGui::Dummy(ImVec2(1, 1));
  if (place_frames_ > 0) {
    --place_frames_;
  } else if (page_.height > 0) {
    scroll_ = std::clamp(ImGui::GetScrollY() / page_.height, 0.0f, 1.0f);
  }
  ui.probes.record("reader/page", view);
  ImGui::EndChild();

  if (!target.empty()) {
    const ReaderWish own = follow(target);
    if (!own.empty()) wish = own;
  }
  return wish;
}

void Reader::go_to_anchor(std::string_view anchor) {
  const book::Target lines = book::split_target("x#" + std::string(anchor));
  if (lines.first_line > 0) {
    marked_first_ = lines.first_line;
    marked_last_ = std::max(lines.first_line, lines.last_line);
    for (const Page::Wide& wide : page_.wide) {
      if (wide.line != 1 || wide.line_height <= 0) continue;
      const float y = wide.rect.y + float(std::max(0, lines.first_line - 4)) * wide.line_height;
      scroll_ = page_.height > 0 ? y / page_.height : 0;
    }
    return;
  }
  for (const Page::Heading& heading : page_.headings) {
    if (heading.slug == anchor && page_.height > 0) scroll_ = heading.y / page_.height;
  }
}

}  // namespace tpp::viewer
