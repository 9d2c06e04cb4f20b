#include "chapters/02_tape/tape.h"

#include <algorithm>

#include "chapters/02_tape/device.h"

namespace tpp {

// Device memory, as an arena asks for it
template <Real T>
struct Tape<T>::DeviceSource final : MemorySource {
  explicit DeviceSource(const Device& device_) : device(device_) {}
  void* take(std::size_t bytes) override { return device.runtime().allocate(bytes); }
  void give_back(void* memory) override { device.runtime().release(memory); }
  const Device& device;
};

template <Real T>
Tape<T>::Tape(const Device* device)
    : device_(device),
      source_(device == nullptr ? nullptr : std::make_unique<DeviceSource>(*device)),
      values_(source_.get()),
      constants_(source_.get()) {
  require(device == nullptr || std::is_same_v<T, float>, "a device computes in float, not double");
}

template <Real T>
Tape<T>::~Tape() = default;

bool matches(std::string_view pattern, std::string_view name) {
  // Remember the last star; when the rest does not fit, let that star take one letter more
  std::size_t p = 0, n = 0, star = std::string_view::npos, after = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++after;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

template <Real T>
void Tape<T>::reset(Grad mode) {
  nodes_.clear();
  scopes_.clear();
  for (FreeList& list : free_) list.buffers.clear();
  arena_.reset();
  values_.reset();
  scope_ = -1;
  groups_ = 0;
  mode_ = mode;
  has_run_back_ = false;
  used_aside_ = false;
  pending_.y = -1;
}

// --- What enters a tape ---------------------------------------------------------------------------

template <Real T>
int Tape<T>::add_node(Index rows, Index cols, std::string_view name) {
  require(rows >= 0 && cols >= 0, "a value cannot have a negative size");
  Node node;
  node.rows = rows;
  node.cols = cols;
  node.stride = cols;
  node.scope = scope_;
  node.name = name;
  nodes_.push_back(node);
  return int(nodes_.size()) - 1;
}

template <Real T>
Var<T> Tape<T>::make_stored(Index rows, Index cols, std::string_view name, bool is_float) {
  const int id = add_node(rows, cols, name);
  Node& node = nodes_.back();
  node.is_float = node.grad_is_float = is_float;
  const std::size_t bytes = std::size_t(rows * cols) * bytes_each(is_float);
  node.value = (on_device() ? values_ : arena_).allocate(bytes);
  return {this, id};
}

template <Real T>
Var<T> Tape<T>::make(Index rows, Index cols, std::string_view name) {
  return make_stored(rows, cols, name, false);
}

template <Real T>
Var<T> Tape<T>::make_float(Index rows, Index cols, std::string_view name) {
  return make_stored(rows, cols, name, true);
}

template <Real T>
Var<T> Tape<T>::input(In<Mat<T>> value, std::string_view name) {
  const Var<T> x = make(value.rows(), value.cols(), name);
  upload_into(value_place(x.id), value);
  return record(x);
}

template <Real T>
Var<T> Tape<T>::variable(In<Mat<T>> value, std::string_view name) {
  const Var<T> x = make(value.rows(), value.cols(), name);
  upload_into(value_place(x.id), value);
  nodes_.back().wants_grad = mode_ == Grad::record;
  return record(x);
}

template <Real T>
Var<T> Tape<T>::parameter(T* value, T* grad, Index rows, Index cols, std::string_view name,
                          Write write, void* copy) {
  const int id = add_node(rows, cols, name);
  Node& node = nodes_.back();
  node.value = copy == nullptr ? value : copy;
  node.master = value;
  node.is_float = copy == nullptr;
  node.grad_is_float = true;
  if (mode_ == Grad::record && grad != nullptr) {
    node.grad = grad;
    node.wants_grad = true;
    node.external_grad = true;
    node.filled = write == Write::set ? Filled::no : Filled::yes;
  }
  show(id);
  return {this, id};
}

template <Real T>
Var<T> Tape<T>::constant(const ConstMatMap<T>& value, std::string_view name) {
  const int id = add_node(value.rows(), value.cols(), name);
  Node& node = nodes_.back();
  if (on_device()) {
    require(value.outerStride() == value.cols(), "constant(): rows must follow each other");
    node.value = upload_constant(value.data(), value.size(), false);
  } else {
    node.value = const_cast<T*>(value.data());  // nobody writes to it: it wants no gradient
    node.stride = value.outerStride();
  }
  return record(at(id));
}

template <Real T>
Var<T> Tape<T>::columns(Var<T> x, Index first, Index count, int group, std::string_view name) {
  require(first >= 0 && count >= 0 && first + count <= x.cols(),
          "columns(): beyond the last column");
  const int id = add_node(x.rows(), count, name);
  Node& node = nodes_.back();
  const Node& parent = nodes_[std::size_t(x.id)];
  require(parent.parent < 0 && !parent.external_grad,
          "columns(): take them from the whole value, not from columns or a parameter");
  node.is_float = parent.is_float;
  node.grad_is_float = parent.grad_is_float;
  node.value =
      static_cast<std::byte*>(parent.value) + std::size_t(first) * bytes_each(node.is_float);
  node.stride = parent.stride;
  node.parent = x.id;
  node.group = group;
  node.offset = first;
  node.wants_grad = parent.wants_grad;
  show(id);
  return {this, id};
}

template <Real T>
std::span<const int> Tape<T>::keep(std::span<const int> values) {
  int* copy = arena_.allocate_array<int>(Index(values.size()));
  std::copy(values.begin(), values.end(), copy);
  return {copy, values.size()};
}

// --- Names ----------------------------------------------------------------------------------------

template <Real T>
Tape<T>::Scope::Scope(Tape& tape, std::string_view name) : tape_(tape), parent_(tape.scope_) {
  tape.scopes_.push_back({parent_, name});
  tape.scope_ = int(tape.scopes_.size()) - 1;
}

template <Real T>
void Tape<T>::full_name(int scope, std::string_view name, std::string& out) const {
  if (scope >= 0) {
    const ScopeName& s = scopes_[std::size_t(scope)];
    full_name(s.parent, s.name, out);
    out += '/';
  }
  out += name;
}

template <Real T>
std::string Tape<T>::name(Var<T> x) const {
  std::string out;
  const Node& node = nodes_[std::size_t(x.id)];
  full_name(node.scope, node.name, out);
  return out;
}

template <Real T>
Var<T> Tape<T>::find(std::string_view wanted) {
  for (int id = size() - 1; id >= 0; --id) {
    if (name(at(id)) == wanted) return at(id);
  }
  return {};
}

// --- Looking in -----------------------------------------------------------------------------------

template <Real T>
void Tape<T>::observe(std::string pattern, Observer<T> observer) {
  watches_.push_back({std::move(pattern), std::move(observer)});
}

template <Real T>
void Tape<T>::observe_gradient(std::string pattern, Observer<T> observer) {
  gradient_watches_.push_back({std::move(pattern), std::move(observer)});
}

template <Real T>
void Tape<T>::stop_observing() {
  watches_.clear();
  gradient_watches_.clear();
}

template <Real T>
void Tape<T>::show(int id) {
  if (watches_.empty()) return;
  const Node& node = nodes_[std::size_t(id)];
  name_buffer_.clear();
  full_name(node.scope, node.name, name_buffer_);
  Mat<T> copied;  // of what is on a device, if anybody looks
  for (const Watch& watch : watches_) {
    if (!matches(watch.pattern, name_buffer_)) continue;
    if (on_device() && copied.size() == 0) copied = copy_to_host(value_place(id));
    const MatMap<T> map = on_device() ? MatMap<T>(copied.data(), node.rows, node.cols,
                                                  Eigen::OuterStride<>(node.cols))
                                      : value_place(id).mat();
    watch.observer(name_buffer_, ConstMatMap<T>(map.data(), map.rows(), map.cols(),
                                                Eigen::OuterStride<>(map.outerStride())));
  }
}

// --- Where gradients are kept ---------------------------------------------------------------------

template <Real T>
void* Tape<T>::acquire(std::size_t bytes) {
  Arena& arena = on_device() ? values_ : arena_;
  for (FreeList& list : free_) {
    if (list.bytes != bytes) continue;
    if (list.buffers.empty()) return arena.allocate(bytes);
    void* buffer = list.buffers.back();
    list.buffers.pop_back();
    return buffer;
  }
  free_.push_back({bytes, {}});
  return arena.allocate(bytes);
}

template <Real T>
void Tape<T>::release(void* buffer, std::size_t bytes) {
  for (FreeList& list : free_) {
    if (list.bytes == bytes) return list.buffers.push_back(buffer);
  }
}

template <Real T>
std::size_t Tape<T>::bytes_each(bool is_float) const {
  if (!on_device()) return sizeof(T);
  return is_float ? sizeof(float) : device_->storage_bytes();
}

template <Real T>
Place2D<T> Tape<T>::value_place(int id) {
  const Node& node = nodes_[std::size_t(id)];
  // Everybody who wants a value comes by here
  if (pending_.y >= 0 && (id == pending_.y || node.parent == pending_.y)) launch_pending_sum();
  return {node.value, node.rows, node.cols, node.stride, node.is_float};
}

template <Real T>
Place2D<T> Tape<T>::grad_place(int id) const {
  const Node& node = nodes_[std::size_t(id)];
  if (node.parent < 0) return {node.grad, node.rows, node.cols, node.cols, node.grad_is_float};
  const Node& parent = nodes_[std::size_t(node.parent)];
  std::byte* first = static_cast<std::byte*>(parent.grad) +
                     std::size_t(node.offset) * bytes_each(node.grad_is_float);
  return {first, node.rows, node.cols, parent.cols, node.grad_is_float};
}

template <Real T>
void Tape<T>::own_gradient(int id) {
  Node& node = nodes_[std::size_t(id)];
  if (node.parent < 0) {
    if (node.filled == Filled::parts) fill_missing_parts(id);
    if (node.grad == nullptr) {
      node.grad = acquire(std::size_t(node.rows * node.cols) * bytes_each(node.grad_is_float));
    }
    return;
  }
  // Columns write into their part of the parent's gradient. The parts of one partition do not
  // overlap, so each may write where it is the first. Once a part of another partition has added
  // to the gradient, everybody must
  Node& parent = nodes_[std::size_t(node.parent)];
  if (parent.filled == Filled::no) {
    if (parent.grad == nullptr) {
      parent.grad =
          acquire(std::size_t(parent.rows * parent.cols) * bytes_each(parent.grad_is_float));
    }
    if (!covers(node.group, parent)) set_zero(grad_place(node.parent));
    parent.filled = Filled::parts;
    parent.group = node.group;
  } else if (parent.filled == Filled::yes || parent.group != node.group) {
    if (parent.filled == Filled::parts) fill_missing_parts(node.parent);
    node.filled = Filled::yes;
    parent.filled = Filled::yes;
  }
}

// Are the parts of this partition, which do not overlap, all of the value's columns?
template <Real T>
bool Tape<T>::covers(int group, const Node& parent) const {
  Index columns = 0;
  for (const Node& node : nodes_) {
    if (node.parent >= 0 && node.group == group && &nodes_[std::size_t(node.parent)] == &parent) {
      columns += node.cols;
    }
  }
  return columns == parent.cols;
}

// A part that nobody used has the gradient zero
template <Real T>
void Tape<T>::fill_missing_parts(int parent) {
  const int group = nodes_[std::size_t(parent)].group;
  if (!covers(group, nodes_[std::size_t(parent)])) return;  // zeroed before the first part came
  for (int id = parent + 1; id < size(); ++id) {
    Node& node = nodes_[std::size_t(id)];
    if (node.parent != parent || node.group != group || node.filled != Filled::no) continue;
    set_zero(grad_place(id));
    node.filled = Filled::yes;
  }
}

// Is this value, or a part of it, an input of the node?
template <Real T>
bool Tape<T>::reads(const Node& node, int id) const {
  if (node.input_count > kNotedInputs) return true;  // who knows
  const auto end = node.inputs.begin() + node.input_count;
  return std::any_of(node.inputs.begin(), end, [&](int input) {
    return input == id || nodes_[std::size_t(input)].parent == id;
  });
}

template <Real T>
bool Tape<T>::hand_over(Var<T> y, Var<T> a, Var<T> b) {
  Node &from = nodes_[std::size_t(y.id)], &left = nodes_[std::size_t(a.id)],
       &right = nodes_[std::size_t(b.id)];
  const auto free = [&](const Node& node) {
    return node.wants_grad && node.filled == Filled::no && node.parent < 0 && !node.external_grad &&
           node.grad == nullptr && node.grad_is_float == from.grad_is_float;
  };
  // b's closure must be the next to run: it reads dy before anybody adds to what is now a's. And it
  // must not add to that itself
  if (keep_gradients_ || reads(right, a.id) || from.parent >= 0 || from.external_grad ||
      from.borrowed_grad || a.id == b.id || b.id != y.id - 1 || right.call == nullptr ||
      !free(left) || !free(right)) {
    return false;
  }
  left.grad = right.grad = from.grad;
  left.filled = right.filled = Filled::yes;
  right.borrowed_grad = right.shared_grad = true;
  from.grad = nullptr;
  return true;
}

template <Real T>
void Tape<T>::give(Var<T> x, void* dx) {
  Node& node = nodes_[std::size_t(x.id)];
  if (!node.wants_grad) return;
  if (node.filled == Filled::no && node.parent < 0 && !node.external_grad && node.grad == nullptr) {
    node.grad = dx;
    node.filled = Filled::yes;
    node.borrowed_grad = true;  // scratch: no buffer to use again
    return;
  }
  const Target<T> own = target(x);
  if (own.write == Write::set) set_zero(own.place);
  add_into(own.place, {dx, node.rows, node.cols, node.cols, node.grad_is_float});
}

template <Real T>
void* Tape<T>::aside(Var<T> y, Var<T> w) {
  Node &from = nodes_[std::size_t(y.id)], &to = nodes_[std::size_t(w.id)];
  if (!device_->has_side_stream() || from.shared_grad || !to.external_grad) {
    return device_->stream();
  }
  device_->runtime().wait_for(device_->side_stream(), device_->stream());  // dy is complete there
  from.held_grad = true;
  to.written_aside = used_aside_ = true;
  return device_->side_stream();
}

template <Real T>
void* Tape<T>::second_queue(Var<T> w, Var<T> b) {
  Node& to = nodes_[std::size_t(w.id)];
  Node& also = b ? nodes_[std::size_t(b.id)] : to;
  if (!device_->has_side_stream() || !to.external_grad || !also.external_grad) {
    return device_->stream();
  }
  to.written_aside = also.written_aside = used_aside_ = true;
  return device_->side_stream();
}

template <Real T>
void Tape<T>::postpone_sum(Var<T> y, DeviceView<const void> a, DeviceView<const void> b) {
  launch_pending_sum();
  pending_ = {y.id, a, b};
}

template <Real T>
void Tape<T>::launch_pending_sum() {
  if (pending_.y < 0) return;
  const Node& y = nodes_[std::size_t(std::exchange(pending_.y, -1))];
  device_->run([&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    twin.add(stream, static_cast<const S*>(pending_.a.data), pending_.a.stride,
             static_cast<const S*>(pending_.b.data), pending_.b.stride, static_cast<S*>(y.value),
             int(y.stride), int(y.rows), int(y.cols));
  });
}

template <Real T>
void Tape<T>::wait_for_aside() {
  if (used_aside_) device_->runtime().wait_for(device_->stream(), device_->side_stream());
  used_aside_ = false;
  for (Node& node : nodes_) node.written_aside = false;
}

// [snip target]
template <Real T>
Target<T> Tape<T>::target(Var<T> x) {
  Node& node = nodes_[std::size_t(x.id)];
  if (node.written_aside) wait_for_aside();
  Place2D<T> place;
  Write write = Write::set;
  if (node.wants_grad) {
    own_gradient(x.id);
    write = node.filled == Filled::no ? Write::set : Write::add;
    node.filled = Filled::yes;
    place = grad_place(x.id);
  } else {
    const std::size_t bytes = std::size_t(node.rows * node.cols) * bytes_each(node.grad_is_float);
    place = {(on_device() ? values_ : arena_).allocate(bytes), node.rows, node.cols, node.cols,
             node.grad_is_float};
  }
  return {this, place, place.mat(), write};
}
// [/snip]

template <Real T>
Sink<T> Tape<T>::sink(Var<T> x) {
  const Target<T> own = target(x);
  if (own.write == Write::set) return Sink<T>(*this, own.place, false, x.id);
  Place2D<T> extra = own.place;
  extra.data = acquire(std::size_t(extra.rows * extra.cols) * bytes_each(extra.is_float));
  extra.stride = extra.cols;
  return Sink<T>(*this, extra, true, x.id);
}

template <Real T>
Sink<T>::~Sink() {
  if (!is_scratch_) return;
  tape_->add_into(tape_->grad_place(id_), target_);
  const auto count = std::size_t(target_.rows * target_.cols);
  tape_->release(target_.data, count * tape_->bytes_each(target_.is_float));
}

// --- Running back ---------------------------------------------------------------------------------

template <Real T>
void Tape<T>::backward(Var<T> loss, T seed) {
  require_shape("backward: the loss", loss.shape(), {1, 1});
  if (!on_device()) return backward_from(loss, Eigen::Map<const Mat<T>>(&seed, 1, 1));
  start_back();
  Node& node = nodes_[std::size_t(loss.id)];
  if (seed == T(1) && node.wants_grad && node.parent < 0 && !node.external_grad &&
      bytes_each(node.grad_is_float) == sizeof(float)) {
    // A 1 that stands on the device for the life of the tape; nobody adds to the loss's gradient
    static const T one = 1;
    node.grad = upload_constant(&one, 1, true);
    node.filled = Filled::yes;
    node.borrowed_grad = node.gradient_is_one = true;
  } else if (node.wants_grad) {  // a launch, not an upload: it may be captured
    device_->float32().fill(device_->stream(), target(loss).template device<float>(), 1,
                            float(seed), 1, 1);
  }
  run_back(loss.id);
}

template <Real T>
void Tape<T>::start_back() {
  require(mode_ == Grad::record, "backward: this pass was run without gradients (Grad::skip)");
  require(!has_run_back_, "backward: this pass has run back already; reset() and compute it again");
  has_run_back_ = true;
  launch_pending_sum();  // closures read values on both queues
}

template <Real T>
void Tape<T>::backward_from(Var<T> y, In<Mat<T>> dy) {
  require_shape("backward: dy", shape_of(dy), y.shape());
  start_back();
  if (wants_grad(y)) {
    if (on_device()) {
      upload_into(target(y).place, dy);
    } else {
      target(y).put(dy);
    }
  }
  run_back(y.id);
}

template <Real T>
void Tape<T>::run_back(int from) {
  for (int id = from; id >= 0; --id) {
    Node& node = nodes_[std::size_t(id)];
    if (!node.wants_grad) continue;
    if (node.parent >= 0 && nodes_[std::size_t(node.parent)].filled == Filled::parts) {
      fill_missing_parts(node.parent);  // everybody who could fill this part has run
    }
    const bool has_gradient = at(id).has_grad() && (node.parent >= 0 || node.filled != Filled::no);

    // Everything after this value has run, so its gradient is complete
    if (node.written_aside && !gradient_watches_.empty()) wait_for_aside();
    if (has_gradient && !gradient_watches_.empty()) {
      name_buffer_.clear();
      full_name(node.scope, node.name, name_buffer_);
      Mat<T> copied;
      for (const Watch& watch : gradient_watches_) {
        if (!matches(watch.pattern, name_buffer_)) continue;
        if (on_device() && copied.size() == 0) copied = copy_to_host(grad_place(id));
        const MatMap<T> map = on_device() ? MatMap<T>(copied.data(), node.rows, node.cols,
                                                      Eigen::OuterStride<>(node.cols))
                                          : grad_place(id).mat();
        watch.observer(name_buffer_, ConstMatMap<T>(map.data(), map.rows(), map.cols(),
                                                    Eigen::OuterStride<>(map.outerStride())));
      }
    }

    // [snip call]
    if (has_gradient && node.call != nullptr) {
      node.call(*this, node.closure);
      if (!keep_gradients_ && node.parent < 0 && !node.external_grad && node.grad != nullptr) {
        if (!node.borrowed_grad && !node.held_grad)
          release(node.grad, std::size_t(node.rows * node.cols) * bytes_each(node.grad_is_float));
        node.grad = nullptr;
      }
    }
    // [/snip]
  }

  wait_for_aside();

  // [snip untouched]
  // A parameter that the loss does not depend on has the gradient zero, not the last pass's
  for (Node& node : nodes_) {
    if (node.external_grad && node.filled == Filled::no) {
      set_zero({node.grad, node.rows, node.cols, node.cols, node.grad_is_float});
      node.filled = Filled::yes;
    }
  }
  // [/snip]
}

// --- The host's memory or the device's ---------------------------------------------------------------

template <Real T>
void Tape<T>::set_zero(const Place2D<T>& place) {
  if (on_device() && place.stride != place.cols) {
    const auto fill = [&](const auto& twin, auto storage) {
      using S = decltype(storage);
      twin.fill(device_->stream(), static_cast<S*>(place.data), int(place.stride), 0.0F,
                int(place.rows), int(place.cols));
    };
    if (place.is_float) return fill(device_->float32(), float());
    device_->run([&]<class S>(const twin::Table<S>& twin, twin::Stream) { fill(twin, S()); });
  } else if (on_device()) {
    device_->runtime().fill_zero(device_->stream(), place.data,
                                 std::size_t(place.rows * place.cols) * bytes_each(place.is_float));
  } else {
    place.mat().setZero();
  }
}

template <Real T>
void Tape<T>::add_into(const Place2D<T>& to, const Place2D<T>& from) {
  if (!on_device()) {
    to.mat() += from.mat();
    return;
  }
  const auto add = [&](const auto& twin, auto storage) {
    using S = decltype(storage);
    twin.add_to(device_->stream(), static_cast<const S*>(from.data), int(from.stride),
                static_cast<S*>(to.data), int(to.stride), int(to.rows), int(to.cols));
  };
  if (to.is_float) return add(device_->float32(), float());
  device_->run([&]<class S>(const twin::Table<S>& twin, twin::Stream) { add(twin, S()); });
}

template <Real T>
void Tape<T>::upload_into(const Place2D<T>& place, In<Mat<T>> value) {
  if (!on_device()) {
    place.mat() = value;
    return;
  }
  require(place.stride == place.cols, "upload: rows must follow each other");
  device_upload(*device_, place.data, Mat<float>(value.template cast<float>()), place.is_float);
}

template <Real T>
Mat<T> Tape<T>::copy_to_host(const Place2D<T>& place) const {
  if (!on_device()) return place.mat();
  return device_download(*device_, place.data, place.rows, place.cols, place.stride, place.is_float)
      .template cast<T>();
}

template <Real T>
void* Tape<T>::upload_constant(const T* values, Index count, bool is_float) {
  for (const Constant& known : constant_list_) {
    if (known.host == values && known.count == count && known.is_float == is_float) {
      return known.device;
    }
  }
  void* memory = constants_.allocate(std::size_t(count) * bytes_each(is_float));
  const Mat<float> copy = Eigen::Map<const RowVec<T>>(values, count).template cast<float>();
  device_upload(*device_, memory, copy, is_float);
  constant_list_.push_back({values, count, is_float, memory});
  return memory;
}

template <Real T>
const float* Tape<T>::device_constant(const T* values, Index count) {
  return static_cast<const float*>(upload_constant(values, count, true));
}

template <Real T>
const int* Tape<T>::device_ints(std::span<const int> values) {
  for (const Mirror& mirror : mirrors_) {
    if (values.data() >= mirror.host &&
        values.data() + values.size() <= mirror.host + mirror.count) {
      return mirror.device + (values.data() - mirror.host);
    }
  }
  int* copy = device_scratch<int>(values.size());
  device_->runtime().upload(device_->stream(), copy, values.data(), values.size_bytes());
  device_->runtime().synchronize(device_->stream());  // the caller may let go of `values`
  return copy;
}

template <Real T>
void Tape<T>::mirror(std::span<const int> host, const int* device) {
  std::erase_if(mirrors_, [&](const Mirror& m) { return m.host == host.data(); });
  mirrors_.push_back({host.data(), host.size(), device});
}

template <Real T>
Mat<T> Var<T>::to_host() const {
  return tape->copy_to_host(tape->value_place(id));
}

template <Real T>
Mat<T> Var<T>::grad_to_host() const {
  require(has_grad(), "grad_to_host(): no gradient has reached this value");
  return tape->copy_to_host(tape->grad_place(id));
}

template struct Var<float>;
template struct Var<double>;
template class Sink<float>;
template class Sink<double>;
template class Tape<float>;
template class Tape<double>;

}  // namespace tpp
