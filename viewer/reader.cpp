// A small part of Markdown, read and drawn.
#include "viewer/reader.h"

#include <imgui.h>

#include <algorithm>
#include <sstream>

namespace tpp::viewer {
namespace {

/// Without emphasis, code marks and the addresses of links: "[RoPE](../13_rope)" reads "RoPE".
std::string plain(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '`' || (c == '*' && i + 1 < line.size() && line[i + 1] == '*')) {
      i += c == '*' ? 1 : 0;
    } else if (c == '[') {
      const std::size_t close = line.find("](", i), end = line.find(')', close);
      if (close == std::string_view::npos || end == std::string_view::npos) {
        out += c;
      } else {
        out += line.substr(i + 1, close - i - 1);
        i = end;
      }
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::vector<Paragraph> parse_readme(std::string_view markdown) {
  using Kind = Paragraph::Kind;
  std::vector<Paragraph> found;
  std::istringstream in{std::string(markdown)};
  bool open = false, code = false,
       comment = false;  // the last paragraph goes on; inside a fence; …
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.starts_with("```")) {
      code = !code;
      open = false;
      if (code) found.push_back({Kind::code, ""});
      continue;
    }
    if (code) {
      found.back().text += (found.back().text.empty() ? "" : "\n") + line;
      continue;
    }
    if (comment || line.starts_with("<!--")) {
      comment = line.find("-->") == std::string::npos;
      continue;
    }
    if (line.empty() || line.starts_with("![")) {
      open = false;
    } else if (line[0] == '#') {
      const std::size_t text = line.find_first_not_of("# ");
      if (text == std::string::npos) continue;
      found.push_back(
          {line.starts_with("# ") ? Kind::title : Kind::heading, plain(line.substr(text))});
      open = false;
    } else if (line.starts_with("- ") || line.starts_with("* ")) {
      found.push_back({Kind::item, plain(std::string_view(line).substr(2))});
      open = true;
    } else if (line[0] == '|') {
      found.push_back({Kind::code, line});  // a table keeps its columns
      if (open && found.size() > 1 && found[found.size() - 2].kind == Kind::code) {
        found[found.size() - 2].text += "\n" + line;
        found.pop_back();
      }
      open = true;
    } else if (open) {
      const std::size_t text = line.find_first_not_of(' ');
      found.back().text +=
          " " + plain(std::string_view(line).substr(text == std::string::npos ? 0 : text));
    } else {
      found.push_back({Kind::text, plain(line)});
      open = true;
    }
  }
  std::erase_if(found, [](const Paragraph& p) { return p.text.empty(); });
  return found;
}

void draw_paragraphs(Ui& ui, const std::vector<Paragraph>& paragraphs) {
  using Kind = Paragraph::Kind;
  const Theme& t = ui.theme;
  for (const Paragraph& paragraph : paragraphs) {
    const bool title = paragraph.kind == Kind::title || paragraph.kind == Kind::heading;
    const bool code = paragraph.kind == Kind::code;
    if (title) ImGui::Dummy(ImVec2(0, t.px(paragraph.kind == Kind::title ? 4 : 8)));
    const FontScope font(t, title ? Font::title : code ? Font::mono : Font::body);
    ImGui::PushStyleColor(ImGuiCol_Text, paragraph.kind == Kind::heading ? ui.colours().accent
                                         : code                          ? ui.colours().muted
                                                                         : ui.colours().text);
    if (paragraph.kind == Kind::item) {
      ImGui::TextUnformatted("•");
      ImGui::SameLine(0, t.px(8));
    }
    if (code) {
      ImGui::TextUnformatted(paragraph.text.c_str());
    } else {
      ImGui::PushTextWrapPos(0);
      ImGui::TextUnformatted(paragraph.text.c_str());
      ImGui::PopTextWrapPos();
    }
    ImGui::PopStyleColor();
    ImGui::Dummy(ImVec2(0, t.px(4)));
  }
}

}  // namespace tpp::viewer
