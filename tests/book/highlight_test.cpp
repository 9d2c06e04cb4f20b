// Colours for code: the spans cover the text, and the obvious words have the obvious colours.
#include "tools/book/highlight.h"

#include <string>

#include "tests/testing.h"

using namespace tpp::book;

namespace {

/// The ink of the first place where this word stands.
Ink ink_of(const std::string& language, const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word);
  REQUIRE(at != std::string::npos);
  for (const InkSpan& span : highlight(language, text)) {
    if (span.begin <= at && at < span.end) {
      CHECK(at + word.size() <= span.end);
      return span.ink;
    }
  }
  FAIL("no span covers it");
  return Ink::plain;
}

void covers(const std::string& language, const std::string& text) {
  std::size_t at = 0;
  for (const InkSpan& span : highlight(language, text)) {
    REQUIRE(span.begin == at);
    REQUIRE(span.end > span.begin);
    at = span.end;
  }
  REQUIRE(at == text.size());
}

}  // namespace

TEST_CASE("C++ and CUDA have their colours") {
  const std::string code = R"(#include <vector>
// a title
template <Real T>
__global__ void rope_v1(const float* x, int n) {
  const Mat<T> y = scaled<T>(x, 1.5e-3f);  /* two
  lines */ auto s = "a // string\"";
  __syncthreads();
  if (n >= 0x1F) return std::exp(x[0]);
}
)";
  covers("cpp", code);
  CHECK(ink_of("cpp", code, "#include") == Ink::preprocessor);
  CHECK(ink_of("cpp", code, "<vector>") == Ink::string);
  CHECK(ink_of("cpp", code, "// a title") == Ink::comment);
  CHECK(ink_of("cpp", code, "template") == Ink::keyword);
  CHECK(ink_of("cpp", code, "__global__") == Ink::keyword);
  CHECK(ink_of("cpp", code, "rope_v1") == Ink::function);
  CHECK(ink_of("cpp", code, "float") == Ink::type);
  CHECK(ink_of("cpp", code, "Mat") == Ink::type);
  CHECK(ink_of("cpp", code, "scaled") == Ink::function);
  CHECK(ink_of("cpp", code, "1.5e-3f") == Ink::number);
  CHECK(ink_of("cpp", code, "/* two\n  lines */") == Ink::comment);
  CHECK(ink_of("cpp", code, R"("a // string\"")") == Ink::string);
  CHECK(ink_of("cpp", code, "__syncthreads") == Ink::function);
  CHECK(ink_of("cpp", code, "0x1F") == Ink::number);
  CHECK(ink_of("cpp", code, "exp") == Ink::function);
}

TEST_CASE("a shell's lines have their colours") {
  const std::string code =
      "./run train --steps 300  # quick\nTPP_JOBS=2 ./run test | grep \"x y\" > $OUT\n";
  covers("sh", code);
  CHECK(ink_of("sh", code, "./run") == Ink::function);
  CHECK(ink_of("sh", code, "--steps") == Ink::keyword);
  CHECK(ink_of("sh", code, "300") == Ink::number);
  CHECK(ink_of("sh", code, "# quick") == Ink::comment);
  CHECK(ink_of("sh", code, "TPP_JOBS") == Ink::variable);
  CHECK(ink_of("sh", code, "grep") == Ink::function);
  CHECK(ink_of("sh", code, "\"x y\"") == Ink::string);
  CHECK(ink_of("sh", code, "$OUT") == Ink::variable);
}

TEST_CASE("whatever the bytes, the spans cover them") {
  std::string bytes;
  unsigned state = 7;
  const std::string pieces[] = {"\"", "'",  "//", "/*", "*/",   "R\"(", "#",
                                "\\", "<",  ">",  "(",  "0x",   "1e",   "\n",
                                " ",  "ab", "$",  "${", "\xE2", "\xFF", "."};
  for (int i = 0; i < 4000; ++i) {
    state = state * 1664525u + 1013904223u;
    bytes += pieces[(state >> 16) % std::size(pieces)];
    if (i % 10 != 0) continue;
    for (const char* language : {"cpp", "sh", "python", "cmake", "json", "text", ""})
      covers(language, bytes.substr(bytes.size() / 2));
  }
  covers("cpp", std::string(1 << 20, '<'));
  covers("cpp", std::string(1 << 20, 'a'));
  covers("sh", std::string(1 << 20, '$'));
}

TEST_CASE("a file's language is known by its name") {
  CHECK(language_of("kernels/rope/rope.cu") == "cpp");
  CHECK(language_of("chapters/CMakeLists.txt") == "cmake");
  CHECK(language_of("run") == "sh");
  CHECK(language_of("LICENSE").empty());
}
