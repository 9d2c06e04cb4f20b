// How an operation on the tape calls its twin.
//
//   if (tape.on_device()) {
//     run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
//       twin.rmsnorm_forward(stream, x.device<S>(), gain.device<float>(), y.device<S>(), …);
//     });
//   }
//
// S is how the device stores activations: float or Bf16. The branch stands in the chapter beside the call of the
// reference, so both are read together.
#pragma once

#include "chapters/02_tape/tape.h"
#include "kernels/device/device.h"

namespace tpp {

/// Call f(table, stream) with the twins of the tape's device, for its storage type.
template <Real T, class F>
void run_twin(const Tape<T>& tape, F&& f) {
  tape.device()->run(std::forward<F>(f));
}

/// Write as the twins have it.
[[nodiscard]] inline twin::Write twin_write(Write write) {
  return write == Write::set ? twin::Write::set : twin::Write::add;
}

/// Copy a matrix to the device, rounded to its storage type unless `as_float`; returns when it is there.
void device_upload(const Device& device, void* to, In<Mat<float>> from, bool as_float);
[[nodiscard]] Mat<float> device_download(const Device& device, const void* from, Index rows,
                                         Index cols, Index stride, bool is_float);

// --- Views ------------------------------------------------------------------------------------------------------

template <Real T>
template <class S>
DeviceView<S> Tape<T>::view_of(const Place2D<T>& place) const {
  require(on_device(), "a view of device memory, on a tape of the host");
  require(bytes_each(place.is_float) == sizeof(S),
          "this value is stored as another type on the device");
  return {static_cast<S*>(place.data), int(place.stride)};
}

template <Real T>
template <class S>
S* Tape<T>::whole(const Place2D<T>& place) const {
  require(place.stride == place.cols || place.rows <= 1,
          "this operation wants rows without gaps: columns of a wider value were given");
  return view_of<S>(place).data;
}

template <Real T>
template <class S>
DeviceView<S> Var<T>::view() const {
  const auto& node = tape->nodes_[std::size_t(id)];
  Place2D<T> place = tape->value_place(id);
  if (std::is_same_v<S, float> && node.master != nullptr)
    place.data = node.master, place.is_float = true;
  return tape->template view_of<S>(place);
}
template <Real T>
template <class S>
std::optional<Terms<S>> Tape<T>::take_sum(Var<T> x) {
  const int gapless = int(x.cols());
  if (x.id != pending_.y || pending_.a.stride != gapless || pending_.b.stride != gapless) return {};
  pending_.y = -1;
  return Terms<S>{static_cast<const S*>(pending_.a.data), static_cast<const S*>(pending_.b.data)};
}
template <Real T>
template <class S>
DeviceView<S> Var<T>::grad_view() const {
  require(has_grad(), "grad_view(): no gradient has reached this value");
  return tape->template view_of<S>(tape->grad_place(id));
}
template <Real T>
template <class S>
S* Var<T>::device() const {
  const DeviceView<S> found = view<S>();
  require(found.stride == cols() || rows() <= 1,
          "this operation wants rows without gaps: columns of a wider value were given");
  return found.data;
}
template <Real T>
template <class S>
S* Var<T>::device_grad() const {
  require(has_grad(), "device_grad(): no gradient has reached this value");
  return tape->template whole<S>(tape->grad_place(id));
}
template <Real T>
template <class S>
DeviceView<S> Sink<T>::view() const {
  return tape_->template view_of<S>(target_);
}
template <Real T>
template <class S>
S* Sink<T>::device() const {
  return tape_->template whole<S>(target_);
}
template <Real T>
template <class S>
DeviceView<S> Target<T>::view() const {
  return tape->template view_of<S>(place);
}
template <Real T>
template <class S>
S* Target<T>::device() const {
  return tape->template whole<S>(place);
}

}  // namespace tpp
