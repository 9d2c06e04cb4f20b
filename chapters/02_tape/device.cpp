#include "chapters/02_tape/device.h"

namespace tpp {

void device_upload(const Device& device, void* to, In<Mat<float>> from, bool as_float) {
  const Mat<float> dense = from;
  if (as_float || !device.stores_bf16()) {
    device.runtime().upload(device.stream(), to, dense.data(),
                            std::size_t(dense.size()) * sizeof(float));
  } else {
    std::vector<Bf16> rounded(std::size_t(dense.size()));
    for (Index i = 0; i < dense.size(); ++i) rounded[std::size_t(i)] = Bf16(dense.data()[i]);
    device.runtime().upload(device.stream(), to, rounded.data(), rounded.size() * sizeof(Bf16));
    device.runtime().synchronize(device.stream());
    return;
  }
  device.runtime().synchronize(device.stream());  // `dense` ends here
}

Mat<float> device_download(const Device& device, const void* from, Index rows, Index cols,
                           Index stride, bool is_float) {
  // Rows with gaps come whole, and the gaps are dropped here
  const std::size_t count = rows == 0 ? 0 : std::size_t((rows - 1) * stride + cols);
  Mat<float> values(rows, cols);
  const auto take = [&]<class S>(std::vector<S> all) {
    device.runtime().download(device.stream(), all.data(), from, all.size() * sizeof(S));
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < cols; ++c) values(r, c) = float(all[std::size_t(r * stride + c)]);
    }
  };
  if (count == 0) return values;
  if (is_float || !device.stores_bf16()) {
    take(std::vector<float>(count));
  } else {
    take(std::vector<Bf16>(count));
  }
  return values;
}

}  // namespace tpp
