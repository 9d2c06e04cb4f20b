#include "chapters/01_tensor/tensor.h"

#include <string>

namespace tpp {
namespace {

std::string text(Shape s) {
  return "(" + std::to_string(s.rows) + ", " + std::to_string(s.cols) + ")";
}

std::string text(Place at) {
  return std::string("  [") + at.file + ":" + std::to_string(at.line) + " in " + at.function + "]";
}

}  // namespace

void detail::throw_shape_error(std::string_view what, Shape got, Shape want, Place at) {
  throw ShapeError(std::string(what) + " is " + text(got) + ", wanted " + text(want) + text(at));
}

void require(bool condition, std::string_view sentence, Place at) {
  if (!condition) throw ShapeError(std::string(sentence) + text(at));
}

}  // namespace tpp
