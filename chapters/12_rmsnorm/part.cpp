#include "chapters/12_rmsnorm/part.h"

#include <cmath>

#include "chapters/12_rmsnorm/rmsnorm.h"
#include "chapters/12_rmsnorm/scalenorm.h"

namespace tpp {

template <Real T>
NormPart<T> rmsnorm_part() {
  return {"rmsnorm",
          [](ParameterTable& table, const std::string& at, Index width,
             const ModelConfig&) -> Layer<T> {
            const int gain = table.add_row(at + "/gain", width, 1);
            return [=](const Pass<T>& pass, Var<T> x, std::string_view name) {
              return rmsnorm(x, pass[gain], {}, name);
            };
          }};
}

template <Real T>
NormPart<T> scalenorm_part() {
  return {"scalenorm",
          [](ParameterTable& table, const std::string& at, Index width,
             const ModelConfig&) -> Layer<T> {
            const int gain = table.add_row(at + "/gain", 1, std::sqrt(double(width)));
            return [=](const Pass<T>& pass, Var<T> x, std::string_view name) {
              return scalenorm(x, pass[gain], {}, name);
            };
          }};
}

template NormPart<float> rmsnorm_part<float>();
template NormPart<double> rmsnorm_part<double>();
template NormPart<float> scalenorm_part<float>();
template NormPart<double> scalenorm_part<double>();

}  // namespace tpp
