// Reverse-mode differentiation over matrices: compute forwards, remember, walk back.
//
// An operation does three things. It computes. It names its result, so that anybody may look at it
// ("block2/attn/probs"). And it leaves a closure that turns the gradient of its result into gradients
// of its inputs. backward() runs the closures in reverse order. So whatever is composed from
// operations can be trained, and nobody writes the backward pass of a model by hand.
//
// A value that is used twice gets a gradient from each use, and the two are added. That sum is the
// tape's business, not the operation's: backward functions return fresh gradients.
//
// A tape may stand on a device. Its values then live in the device's memory, and operations call their
// twins instead of their references (device.h). Names, closures and the order are the same.
#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "chapters/01_tensor/tensor.h"
#include "chapters/02_tape/arena.h"

namespace tpp {

class Device;

template <Real T>
class Tape;

/// A value's place in device memory: the first number and the distance of rows, in numbers.
template <class S>
struct DeviceView {
  S* data = nullptr;
  int stride = 0;
};

/// A value on a tape: cheap to copy, valid until the tape is reset.
template <Real T>
struct Var {
  Tape<T>* tape = nullptr;
  int id = -1;

  explicit operator bool() const { return tape != nullptr; }
  [[nodiscard]] Index rows() const;
  [[nodiscard]] Index cols() const;
  [[nodiscard]] Shape shape() const { return {rows(), cols()}; }
  [[nodiscard]] MatMap<T> value() const;  // (rows, cols)
  [[nodiscard]] RowMap<T> row() const;    // (cols); the value must have one row
  [[nodiscard]] MatMap<T> grad() const;   // (rows, cols); only while its gradient is kept
  [[nodiscard]] bool has_grad() const;

  // On a device. S is how the value is stored: the device's storage type, or float for what is always
  // float. A parameter is there as both. Errors: ShapeError for a value that is stored otherwise
  template <class S>
  [[nodiscard]] DeviceView<S> view() const;
  template <class S>
  [[nodiscard]] DeviceView<S> grad_view() const;
  /// The same for values whose rows follow each other without a gap, which most twins want.
  template <class S>
  [[nodiscard]] S* device() const;
  template <class S>
  [[nodiscard]] S* device_grad() const;
  /// A copy, from wherever the value lives.
  [[nodiscard]] Mat<T> to_host() const;
  [[nodiscard]] Mat<T> grad_to_host() const;
};

/// A matrix somewhere: on the host T, on a device as its node says.
template <Real T>
struct Place2D {
  void* data = nullptr;
  Index rows = 0, cols = 0, stride = 0;
  bool is_float = false;  // on a device: float whatever the storage type

  [[nodiscard]] MatMap<T> mat() const {
    return MatMap<T>(static_cast<T*>(data), rows, cols, Eigen::OuterStride<>(stride));
  }
};

/// Where one operation writes the gradient of one of its inputs.
///
/// The first to arrive writes into the input's own buffer. A later one writes into scratch memory,
/// which is added when the sink goes out of scope.
template <Real T>
class Sink {
 public:
  Sink(Tape<T>& tape, Place2D<T> target, bool is_scratch, int id)
      : tape_(&tape), target_(target), is_scratch_(is_scratch), id_(id) {}
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink();

  [[nodiscard]] MatMap<T> mat() const { return target_.mat(); }
  [[nodiscard]] RowMap<T> row() const {
    return RowMap<T>(static_cast<T*>(target_.data), target_.cols);
  }
  template <class S>
  [[nodiscard]] DeviceView<S> view() const;
  template <class S>
  [[nodiscard]] S* device() const;

 private:
  Tape<T>* tape_;
  Place2D<T> target_;
  bool is_scratch_;
  int id_;  // −1: nobody wants this gradient
};

/// Where to set or add the gradient of one input without scratch memory: for products, which can do
/// either, and for expressions.
template <Real T>
struct Target {
  Tape<T>* tape;
  Place2D<T> place;
  MatMap<T> mat;
  Write write;

  // [snip put]
  template <class Expression>
  void put(const Expression& expression) const {
    MatMap<T> out = mat;
    if (write == Write::set) {
      out = expression;
    } else {
      out += expression;
    }
  }
  // [/snip]
  template <class S>
  [[nodiscard]] DeviceView<S> view() const;
  template <class S>
  [[nodiscard]] S* device() const;
};

/// The terms of y = a + b on a device, rows without gaps.
template <class S>
struct Terms {
  const S* a = nullptr;
  const S* b = nullptr;
};

/// Called with the full name of a value and the value, as soon as it is there.
template <Real T>
using Observer = std::function<void(std::string_view name, const ConstMatMap<T>& value)>;

enum class Grad { record, skip };  // skip: inference, no closures, no gradients

template <Real T>
class Tape {
 public:
  /// On the host, or on a device, which must outlive the tape.
  explicit Tape(const Device* device = nullptr);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Null on the host.
  [[nodiscard]] const Device* device() const { return device_; }
  [[nodiscard]] bool on_device() const { return device_ != nullptr; }

  /// Forget all values; keep the memory for the next pass.
  void reset(Grad mode = Grad::record);

  // --- What enters a tape -----------------------------------------------------------------------

  /// A constant: copied, no gradient. Its name may be observed.
  Var<T> input(In<Mat<T>> value, std::string_view name);

  /// A value whose gradient is wanted, copied. For tests and for looking at gradients of inputs.
  Var<T> variable(In<Mat<T>> value, std::string_view name);

  /// A parameter: value and gradient live elsewhere. `write` says whether its first gradient of this
  /// pass replaces what stands in `grad` or is added to it. A null `grad` makes it a constant.
  /// On a device `value` and `grad` are float there; `copy` is the value in the device's storage type,
  /// where that is another.
  Var<T> parameter(T* value, T* grad, Index rows, Index cols, std::string_view name, Write write,
                   void* copy = nullptr);

  /// A constant that outlives the passes, such as a table of sines. On a device it is copied there
  /// once for the life of the tape: what `value` points to must not change.
  Var<T> constant(const ConstMatMap<T>& value, std::string_view name);

  // --- What operations use -----------------------------------------------------------------------

  /// A new (rows, cols) value, uninitialised. Write it, then record() it.
  Var<T> make(Index rows, Index cols, std::string_view name);
  /// The same for what is float on every device: a loss, a bias of the logits, statistics.
  Var<T> make_float(Index rows, Index cols, std::string_view name);

  /// A value that shares the memory of x's columns [first, first + count).
  Var<T> columns(Var<T> x, Index first, Index count, int group, std::string_view name);
  /// A number for one partition of a value into columns().
  int new_group() { return ++groups_; }

  // [snip record]
  /// y is computed from `inputs`: show it to its observers and keep the closure for its gradient.
  /// The closure is called with the tape, when y.grad() is complete.
  template <class F>
  Var<T> record(Var<T> y, std::initializer_list<Var<T>> inputs, F backward) {
    static_assert(std::is_trivially_destructible_v<F>, "closures live in the arena: capture views");
    Node& node = nodes_[std::size_t(y.id)];
    if (mode_ == Grad::record) {
      for (const Var<T>& input : inputs) {
        node.wants_grad |= nodes_[std::size_t(input.id)].wants_grad;
        if (node.input_count < kNotedInputs) node.inputs[node.input_count] = input.id;
        ++node.input_count;
      }
    }
    if (node.wants_grad) {
      node.closure = new (arena_.allocate(sizeof(F))) F(std::move(backward));
      node.call = [](Tape& tape, void* closure) { (*static_cast<F*>(closure))(tape); };
    }
    show(y.id);
    return y;
  }
  // [/snip]
  /// y is a by-product to look at, such as the attention probabilities: no gradient flows from it.
  Var<T> record(Var<T> y) {
    show(y.id);
    return y;
  }

  /// Memory until reset(), for what backward needs besides the values.
  [[nodiscard]] T* scratch(Index count) { return arena_.allocate_array<T>(count); }
  [[nodiscard]] ColMap<T> scratch_col(Index n) { return ColMap<T>(scratch(n), n); }
  [[nodiscard]] MatMap<T> scratch_mat(Index rows, Index cols) {
    return MatMap<T>(scratch(rows * cols), rows, cols, Eigen::OuterStride<>(cols));
  }
  /// A copy of `values` until reset().
  [[nodiscard]] std::span<const int> keep(std::span<const int> values);

  // On a device: the same. Sizes are in numbers of S
  template <class S>
  [[nodiscard]] S* device_scratch(std::size_t count) {
    return static_cast<S*>(values_.allocate(sizeof(S) * count));
  }
  /// `values` in device memory until reset(): mirrored there by the caller, or uploaded now.
  [[nodiscard]] const int* device_ints(std::span<const int> values);
  /// From now on `host` is known to stand at `device`: whoever says so keeps the two equal.
  void mirror(std::span<const int> host, const int* device);
  /// A table of numbers that never changes, uploaded once for the life of the tape.
  [[nodiscard]] const float* device_constant(const T* values, Index count);

  /// In the closure of y = a + b: both inputs' gradient is dy. Where nothing can go wrong they take over
  /// its memory instead of copying it; otherwise, false, and the caller copies.
  bool hand_over(Var<T> y, Var<T> a, Var<T> b);

  /// In a closure: the gradient of input x stands at `dx` already, (rows, cols) without gaps, in memory
  /// until reset() that nobody else uses. It is taken over where x has none yet, otherwise added.
  void give(Var<T> x, void* dx);

  /// In the closure of y, on a device: the queue for the launches that compute the gradient of parameter
  /// w from dy and the values of y's inputs. Nobody waits for it until the pass ends, so it may be the
  /// device's second queue. Ask after target(w).
  [[nodiscard]] void* aside(Var<T> y, Var<T> w);
  /// The same for a twin that takes both queues: its last launch computes the gradients of w, and of b if
  /// there is one, from scratch memory. The twin makes the second queue wait for what it launched before.
  [[nodiscard]] void* second_queue(Var<T> w, Var<T> b = {});

  /// On a device, y = a + b, later: by whoever takes the terms, or as soon as anybody asks for y's value.
  /// Values stay until reset(), so the sum does not care when it is made. One sum waits at a time, and
  /// none while the tape runs back.
  void postpone_sum(Var<T> y, DeviceView<const void> a, DeviceView<const void> b);
  /// The terms of x if it is the sum that waits. Who takes them writes x in the next launch.
  template <class S>
  [[nodiscard]] std::optional<Terms<S>> take_sum(Var<T> x);

  /// In the closure of y: is its gradient the 1 that backward() started with?
  [[nodiscard]] bool gradient_is_one(Var<T> y) const {
    return nodes_[std::size_t(y.id)].gradient_is_one;
  }

  /// In a closure: where to write the gradient of input x.
  [[nodiscard]] Sink<T> sink(Var<T> x);
  [[nodiscard]] Target<T> target(Var<T> x);
  [[nodiscard]] bool wants_grad(Var<T> x) const { return nodes_[std::size_t(x.id)].wants_grad; }

  // --- Names ---------------------------------------------------------------------------------------

  /// While it lives, names start with `name` and a slash. The text must outlive the pass.
  class Scope {
   public:
    Scope(Tape& tape, std::string_view name);
    ~Scope() { tape_.scope_ = parent_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Tape& tape_;
    int parent_;
  };
  [[nodiscard]] Scope scope(std::string_view name) { return Scope(*this, name); }

  /// "block2/attn/probs". Built when asked for: names cost nothing while nobody looks.
  [[nodiscard]] std::string name(Var<T> x) const;

  // --- Running back ---------------------------------------------------------------------------------

  /// Gradients of `loss`, a (1, 1) value, times `seed`, for everything that wants one.
  ///
  /// A gradient's buffer is used again once its closure has run, unless keep_gradients(true).
  /// A pass can run back once: the gradients of a second time would be added to spent ones.
  /// Errors  ShapeError unless loss is (1, 1), and the second time
  void backward(Var<T> loss, T seed = T(1));
  /// The same for any value, given ∂L/∂y.
  void backward_from(Var<T> y, In<Mat<T>> dy);

  void keep_gradients(bool keep) { keep_gradients_ = keep; }

  // --- Looking in -----------------------------------------------------------------------------------

  // [snip observe]
  /// Call `observer` with every value (or gradient) whose name matches `pattern`, in this and later
  /// passes. A star matches anything: "block*/attn/probs".
  void observe(std::string pattern, Observer<T> observer);
  void observe_gradient(std::string pattern, Observer<T> observer);
  // [/snip]
  void stop_observing();

  /// The value with this full name, or an empty Var. The last one if there are several.
  [[nodiscard]] Var<T> find(std::string_view full_name);
  [[nodiscard]] int size() const { return int(nodes_.size()); }
  [[nodiscard]] Var<T> at(int id) { return {this, id}; }
  [[nodiscard]] const Arena& arena() const { return arena_; }
  /// Bytes held on the device.
  [[nodiscard]] std::size_t device_bytes() const { return values_.capacity(); }

 private:
  friend struct Var<T>;
  friend class Sink<T>;
  friend struct Target<T>;

  static constexpr int kNotedInputs = 4;

  // Whether a gradient's buffer holds something yet
  enum class Filled { no, parts, yes };

  struct Node {
    void* value = nullptr;
    void* grad = nullptr;
    T* master = nullptr;         // a parameter's float value on a device that stores it otherwise
    bool is_float = false;       // on a device: float whatever the storage type
    bool grad_is_float = false;  // the same for the gradient
    Index rows = 0, cols = 0, stride = 0;
    int scope = -1;
    std::string_view name;
    int parent = -1;   // columns() of this node
    int group = 0;     // which partition wrote the parent's gradient first
    Index offset = 0;  // first column in the parent
    Filled filled = Filled::no;
    bool wants_grad = false;
    bool external_grad = false;  // a parameter's: not ours to use again
    std::array<int, kNotedInputs> inputs{};
    int input_count = 0;
    bool shared_grad = false;    // others add to its memory once this node's closure has run
    bool held_grad = false;      // the second queue still reads it: not to be used again
    bool written_aside = false;  // the second queue has written this gradient
    bool borrowed_grad = false;  // another node's memory, which outlives this one's use of it
    bool gradient_is_one = false;
    void* closure = nullptr;
    void (*call)(Tape&, void*) = nullptr;
  };
  struct ScopeName {
    int parent;
    std::string_view name;
  };
  struct Watch {
    std::string pattern;
    Observer<T> observer;
  };
  struct FreeList {
    std::size_t bytes;
    std::vector<void*> buffers;
  };
  struct Mirror {
    const int* host;
    std::size_t count;
    const int* device;
  };
  struct Constant {
    const void* host;
    Index count;
    bool is_float;
    void* device;
  };
  struct DeviceSource;
  struct PendingSum {
    int y = -1;  // none
    DeviceView<const void> a, b;
  };

  int add_node(Index rows, Index cols, std::string_view name);
  Var<T> make_stored(Index rows, Index cols, std::string_view name, bool is_float);
  void show(int id);
  void own_gradient(int id);
  [[nodiscard]] bool covers(int group, const Node& parent) const;
  void fill_missing_parts(int parent);
  [[nodiscard]] bool reads(const Node& node, int id) const;
  void start_back();
  void run_back(int from);
  void wait_for_aside();
  void launch_pending_sum();
  // Bytes of one number of a value or of a gradient
  [[nodiscard]] std::size_t bytes_each(bool is_float) const;
  void* acquire(std::size_t bytes);
  void release(void* buffer, std::size_t bytes);
  [[nodiscard]] Place2D<T> value_place(int id);
  [[nodiscard]] Place2D<T> grad_place(int id) const;
  template <class S>
  [[nodiscard]] DeviceView<S> view_of(const Place2D<T>& place) const;
  template <class S>
  [[nodiscard]] S* whole(const Place2D<T>& place) const;
  [[nodiscard]] Mat<T> copy_to_host(const Place2D<T>& place) const;
  void set_zero(const Place2D<T>& place);
  void add_into(const Place2D<T>& to, const Place2D<T>& from);
  void upload_into(const Place2D<T>& place, In<Mat<T>> value);
  void* upload_constant(const T* values, Index count, bool is_float);
  void full_name(int scope, std::string_view name, std::string& out) const;

  const Device* device_ = nullptr;
  std::unique_ptr<MemorySource> source_;  // of device memory
  Arena arena_;                           // closures; on the host, values too
  Arena values_;                          // on a device: values, gradients, scratch
  Arena constants_;                       // on a device: never reset
  std::vector<Mirror> mirrors_;
  std::vector<Constant> constant_list_;
  std::vector<Node> nodes_;
  std::vector<ScopeName> scopes_;
  int scope_ = -1;
  int groups_ = 0;
  Grad mode_ = Grad::record;
  bool keep_gradients_ = false;
  bool has_run_back_ = false;
  bool used_aside_ = false;
  PendingSum pending_;
  std::vector<Watch> watches_, gradient_watches_;
  std::vector<FreeList> free_;
  mutable std::string name_buffer_;
};

/// Does `pattern`, in which a star stands for any text, match the whole of `name`?
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

template <Real T>
Index Var<T>::rows() const {
  return tape->nodes_[std::size_t(id)].rows;
}
template <Real T>
Index Var<T>::cols() const {
  return tape->nodes_[std::size_t(id)].cols;
}
template <Real T>
MatMap<T> Var<T>::value() const {
  require(!tape->on_device(), "value(): this value is on a device; to_host() copies it");
  return tape->value_place(id).mat();
}
template <Real T>
RowMap<T> Var<T>::row() const {
  const auto& node = tape->nodes_[std::size_t(id)];
  require(node.rows == 1 && !tape->on_device(), "row(): one row is wanted, and on the host");
  return RowMap<T>(static_cast<T*>(node.value), node.cols);
}
template <Real T>
MatMap<T> Var<T>::grad() const {
  require(has_grad(), "grad(): no gradient has reached this value");
  require(!tape->on_device(), "grad(): this gradient is on a device; grad_to_host() copies it");
  return tape->grad_place(id).mat();
}
template <Real T>
bool Var<T>::has_grad() const {
  const auto& node = tape->nodes_[std::size_t(id)];
  if (node.parent >= 0) return Var{tape, node.parent}.has_grad();  // columns have no buffer
  return node.filled != Tape<T>::Filled::no && node.grad != nullptr;
}

extern template class Tape<float>;
extern template class Tape<double>;

}  // namespace tpp
