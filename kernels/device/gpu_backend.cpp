// The library that `--device gpu` loads: the twins that nvcc made, behind one table.
#include "kernels/device/table.h"

extern "C" const tpp::twin::Backend* tpp_gpu_backend() {
  static const tpp::twin::Backend backend;
  return &backend;
}
