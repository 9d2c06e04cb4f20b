#include "chapters/02_tape/parameters.h"

#include <algorithm>

namespace tpp {

int ParameterTable::add(std::string name, Index rows, Index cols, Init init, bool decay) {
  require(rows > 0 && cols > 0, "parameter " + name + " needs at least one row and one column");
  require(find(name) < 0, "parameter " + name + " is declared twice");
  list_.push_back({std::move(name), rows, cols, extent_, init, decay});
  constexpr Index kLine = 64 / Index(sizeof(float));
  numbers_ += rows * cols;
  extent_ += (rows * cols + kLine - 1) / kLine * kLine;
  return count() - 1;
}

int ParameterTable::find(const std::string& name) const {
  const auto it = std::find_if(list_.begin(), list_.end(),
                               [&](const ParameterInfo& info) { return info.name == name; });
  return it == list_.end() ? -1 : int(it - list_.begin());
}

template <Real T>
void initialise(const ParameterTable& table, std::uint64_t seed, T* values) {
  std::fill_n(values, table.extent(), T(0));
  for (const ParameterInfo& info : table.list()) {
    T* first = values + info.offset;
    if (info.init.kind == Init::Kind::constant) {
      std::fill_n(first, info.size(), T(info.init.value));
    } else {
      Philox rng(seed, name_hash(info.name));
      const Index tail = info.init.tail_row < 0 ? info.rows : info.init.tail_row;
      for (Index i = 0; i < info.size(); ++i) {
        first[i] =
            T(rng.normal() * (i / info.cols < tail ? info.init.value : info.init.tail_value));
      }
    }
  }
}

template void initialise<float>(const ParameterTable&, std::uint64_t, float*);
template void initialise<double>(const ParameterTable&, std::uint64_t, double*);

}  // namespace tpp
