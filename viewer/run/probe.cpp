// The probe: one forward pass, and copies of what was asked for.
#include "viewer/run/probe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "viewer/run/labels.h"

namespace tpp::viewer {
namespace {

TapValue copy_of(const MatMap<float>& value) {
  TapValue out{int(value.rows()), int(value.cols()), {}};
  out.data.resize(std::size_t(value.size()));
  MatMap<float>(out.data.data(), value.rows(), value.cols(), Eigen::OuterStride<>(value.cols())) =
      value;
  return out;
}

TapValue row_sizes_of(const MatMap<float>& value) {
  TapValue out{int(value.rows()), 1, {}};
  out.data.resize(std::size_t(value.rows()));
  for (Index n = 0; n < value.rows(); ++n) {
    out.data[std::size_t(n)] = std::sqrt(value.row(n).squaredNorm() / float(value.cols()));
  }
  return out;
}

/// The value where it is, or, from a device, copied into `copy`.
MatMap<float> on_host(Var<float> x, Mat<float>& copy) {
  if (!x.tape->on_device()) return x.value();
  copy = x.to_host();
  return {copy.data(), copy.rows(), copy.cols(), Eigen::OuterStride<>(copy.cols())};
}

}  // namespace

Probe::Probe(const Run& run)
    : run_(run), tape_(run.device.get()), batch_(1, int(run.model->config().T)) {
  run.source->validation(0, batch_);
  labels_.reserve(batch_.tokens.size());
  for (const int token : batch_.tokens) {
    labels_.push_back(token_label(run.source->tokenizer().bytes_of(token)));
  }
}

Var<float> Probe::pass(std::span<const int> tokens, std::span<const int> targets) {
  tape_.reset(Grad::skip);
  run_.trainer->bind(tape_, bound_);
  const auto length = Index(tokens.size());
  return targets.empty() ? run_.model->forward(tape_, bound_, tokens, length)
                         : run_.model->loss(tape_, bound_, tokens, targets, length);
}

void Probe::fill(Frame& frame, const std::vector<std::string>& wanted) {
  frame.probe_tokens = batch_.tokens;
  frame.probe_labels = labels_;
  frame.probe_loss = pass(batch_.tokens, batch_.targets).to_host()(0, 0);
  index_names();
  for (const std::string& name : wanted) {
    TapValue value;
    if (copy(name, value)) frame.taps.insert_or_assign(name, std::move(value));
  }
}

void Probe::index_names() {
  // The same model leaves the same names on its tape in the same order: read them once
  if (tape_.size() == indexed_) return;
  ids_.clear();
  for (int id = 0; id < tape_.size(); ++id) ids_[tape_.name(tape_.at(id))] = id;
  indexed_ = tape_.size();
}

bool Probe::copy(const std::string& name, TapValue& out) {
  // Gradients and parameters lie in the trainer's flat buffers
  const ParameterTable& table = run_.model->table();
  const auto view = [&](const float* flat, int i) {
    const ParameterInfo& info = table[i];
    return MatMap<float>(const_cast<float*>(flat) + info.offset, info.rows, info.cols,
                         Eigen::OuterStride<>(info.cols));
  };
  if (name.starts_with("grad:")) {
    const int i = table.find(name.substr(5));
    if (i < 0 || run_.trainer->gradients() == nullptr) return false;
    out = copy_of(view(run_.trainer->gradients(), i));
    return true;
  }

  // Everything else has a name: of a value of the pass, or of a parameter
  const bool sizes = name.starts_with("rms:");
  const std::string plain = sizes ? name.substr(4) : name;
  const auto value = ids_.find(plain);
  const int parameter = table.find(plain);
  if (value == ids_.end() && parameter < 0) return false;
  Mat<float> copied;
  const MatMap<float> map = parameter >= 0 ? view(run_.trainer->values(), parameter)
                                           : on_host(tape_.at(value->second), copied);
  out = sizes ? row_sizes_of(map) : copy_of(map);
  return true;
}

std::vector<NextToken> Probe::next(std::span<const int> tokens, int count) {
  const auto T = std::size_t(run_.model->config().T);
  if (tokens.size() > T) tokens = tokens.subspan(tokens.size() - T);
  const Var<float> logits = pass(tokens, {});
  Mat<float> copied;
  const MatMap<float> all = on_host(logits, copied);

  // Softmax of the last row
  const Index V = all.cols();
  std::vector<double> p(std::size_t(V), 0);
  const double largest = double(all.row(all.rows() - 1).maxCoeff());
  double sum = 0;
  for (Index v = 0; v < V; ++v) {
    p[std::size_t(v)] = std::exp(double(all(all.rows() - 1, v)) - largest);
    sum += p[std::size_t(v)];
  }
  if (!(sum > 0 && std::isfinite(sum))) return {};

  // The likeliest, and of equals the smaller token
  std::vector<int> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min<std::ptrdiff_t>(count, std::ptrdiff_t(order.size()));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](int a, int b) {
    return p[std::size_t(a)] != p[std::size_t(b)] ? p[std::size_t(a)] > p[std::size_t(b)] : a < b;
  });
  std::vector<NextToken> next;
  for (std::ptrdiff_t i = 0; i < kept; ++i) {
    const int token = order[std::size_t(i)];
    const auto& tokenizer = run_.source->tokenizer();
    next.push_back({token < tokenizer.vocabulary() ? token_label(tokenizer.bytes_of(token))
                                                   : "#" + std::to_string(token),
                    float(p[std::size_t(token)] / sum), all(all.rows() - 1, token),
                    largest + std::log(sum)});
  }
  return next;
}

}  // namespace tpp::viewer
