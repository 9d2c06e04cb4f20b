#include "chapters/02_tape/tape.h"

#include <algorithm>

namespace tpp {

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
  scope_ = -1;
  groups_ = 0;
  mode_ = mode;
  has_run_back_ = false;
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
Var<T> Tape<T>::make(Index rows, Index cols, std::string_view name) {
  const int id = add_node(rows, cols, name);
  nodes_.back().value = arena_.allocate_array<T>(rows * cols);
  return {this, id};
}

template <Real T>
Var<T> Tape<T>::input(In<Mat<T>> value, std::string_view name) {
  const Var<T> x = make(value.rows(), value.cols(), name);
  x.value() = value;
  return record(x);
}

template <Real T>
Var<T> Tape<T>::variable(In<Mat<T>> value, std::string_view name) {
  const Var<T> x = make(value.rows(), value.cols(), name);
  x.value() = value;
  nodes_.back().wants_grad = mode_ == Grad::record;
  return record(x);
}

template <Real T>
Var<T> Tape<T>::parameter(T* value, T* grad, Index rows, Index cols, std::string_view name,
                          Write write) {
  const int id = add_node(rows, cols, name);
  Node& node = nodes_.back();
  node.value = value;
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
Var<T> Tape<T>::columns(Var<T> x, Index first, Index count, int group, std::string_view name) {
  require(first >= 0 && count >= 0 && first + count <= x.cols(),
          "columns(): beyond the last column");
  const int id = add_node(x.rows(), count, name);
  Node& node = nodes_.back();
  const Node& parent = nodes_[std::size_t(x.id)];
  require(parent.parent < 0 && !parent.external_grad,
          "columns(): take them from the whole value, not from columns or a parameter");
  node.value = parent.value + first;
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
  const ConstMatMap<T> value(node.value, node.rows, node.cols, Eigen::OuterStride<>(node.stride));
  for (const Watch& watch : watches_) {
    if (matches(watch.pattern, name_buffer_)) watch.observer(name_buffer_, value);
  }
}

// --- Where gradients are kept ---------------------------------------------------------------------

template <Real T>
T* Tape<T>::acquire(Index count) {
  for (FreeList& list : free_) {
    if (list.count != count) continue;
    if (list.buffers.empty()) return arena_.allocate_array<T>(count);
    T* buffer = list.buffers.back();
    list.buffers.pop_back();
    return buffer;
  }
  free_.push_back({count, {}});
  return arena_.allocate_array<T>(count);
}

template <Real T>
void Tape<T>::release(T* buffer, Index count) {
  for (FreeList& list : free_) {
    if (list.count == count) return list.buffers.push_back(buffer);
  }
}

template <Real T>
MatMap<T> Tape<T>::grad_map(int id) {
  const Node& node = nodes_[std::size_t(id)];
  if (node.parent < 0) return {node.grad, node.rows, node.cols, Eigen::OuterStride<>(node.cols)};
  const Node& parent = nodes_[std::size_t(node.parent)];
  return {parent.grad + node.offset, node.rows, node.cols, Eigen::OuterStride<>(parent.cols)};
}

template <Real T>
void Tape<T>::own_gradient(int id) {
  Node& node = nodes_[std::size_t(id)];
  if (node.parent < 0) {
    if (node.grad == nullptr) node.grad = acquire(node.rows * node.cols);
    return;
  }
  // Columns write into their part of the parent's gradient. The parts of one partition do not
  // overlap, so each may write where it is the first. Once a part of another partition has added
  // to the gradient, everybody must
  Node& parent = nodes_[std::size_t(node.parent)];
  if (parent.filled == Filled::no) {
    if (parent.grad == nullptr) parent.grad = acquire(parent.rows * parent.cols);
    std::fill_n(parent.grad, parent.rows * parent.cols, T(0));
    parent.filled = Filled::parts;
    parent.group = node.group;
  } else if (parent.filled == Filled::yes || parent.group != node.group) {
    node.filled = Filled::yes;
    parent.filled = Filled::yes;
  }
}

template <Real T>
Target<T> Tape<T>::target(Var<T> x) {
  Node& node = nodes_[std::size_t(x.id)];
  if (!node.wants_grad) {
    return {scratch_mat(node.rows, node.cols), Write::set};
  }
  own_gradient(x.id);
  const Write write = node.filled == Filled::no ? Write::set : Write::add;
  node.filled = Filled::yes;
  return {grad_map(x.id), write};
}

template <Real T>
Sink<T> Tape<T>::sink(Var<T> x) {
  const Target<T> own = target(x);
  if (own.write == Write::set) return Sink<T>(*this, own.mat, false, x.id);
  const Index rows = own.mat.rows(), cols = own.mat.cols();
  const MatMap<T> extra(acquire(rows * cols), rows, cols, Eigen::OuterStride<>(cols));
  return Sink<T>(*this, extra, true, x.id);
}

template <Real T>
Sink<T>::~Sink() {
  if (!is_scratch_) return;
  tape_->grad_map(id_) += target_;
  tape_->release(target_.data(), target_.size());
}

// --- Running back ---------------------------------------------------------------------------------

template <Real T>
void Tape<T>::backward(Var<T> loss, T seed) {
  require_shape("backward: the loss", loss.shape(), {1, 1});
  backward_from(loss, Eigen::Map<const Mat<T>>(&seed, 1, 1));
}

template <Real T>
void Tape<T>::backward_from(Var<T> y, In<Mat<T>> dy) {
  require(mode_ == Grad::record, "backward: this pass was run without gradients (Grad::skip)");
  require(!has_run_back_, "backward: this pass has run back already; reset() and compute it again");
  require_shape("backward: dy", shape_of(dy), y.shape());
  has_run_back_ = true;
  if (wants_grad(y)) target(y).put(dy);
  run_back(y.id);
}

template <Real T>
void Tape<T>::run_back(int from) {
  for (int id = from; id >= 0; --id) {
    Node& node = nodes_[std::size_t(id)];
    if (!node.wants_grad) continue;
    const bool has_gradient = at(id).has_grad() && (node.parent >= 0 || node.filled != Filled::no);

    // Everything after this value has run, so its gradient is complete
    if (has_gradient && !gradient_watches_.empty()) {
      name_buffer_.clear();
      full_name(node.scope, node.name, name_buffer_);
      MatMap<T> map = grad_map(id);
      const ConstMatMap<T> grad(map.data(), map.rows(), map.cols(),
                                Eigen::OuterStride<>(map.outerStride()));
      for (const Watch& watch : gradient_watches_) {
        if (matches(watch.pattern, name_buffer_)) watch.observer(name_buffer_, grad);
      }
    }

    if (has_gradient && node.call != nullptr) {
      node.call(*this, node.closure);
      if (!keep_gradients_ && node.parent < 0 && !node.external_grad) {
        release(node.grad, node.rows * node.cols);
        node.grad = nullptr;
      }
    }
  }

  // A parameter that the loss does not depend on has the gradient zero, not the last pass's
  for (Node& node : nodes_) {
    if (node.external_grad && node.filled == Filled::no) {
      std::fill_n(node.grad, node.rows * node.cols, T(0));
      node.filled = Filled::yes;
    }
  }
}

template class Sink<float>;
template class Sink<double>;
template class Tape<float>;
template class Tape<double>;

}  // namespace tpp
