// Every twin by its name, as one backend has it: the emulator's, or the GPU's.
//
// A program holds the same functions twice, made by two compilers. A table of pointers keeps them apart: an operation
// on the tape says twin.rmsnorm_forward(…), and the tape's device says whose that is. A new twin is one line here.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/attention/attention.h"
#include "kernels/common/runtime.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/cublaslt/product.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/embedding/embedding.h"
#include "kernels/global_norm/global_norm.h"
#include "kernels/glu/glu.h"
#include "kernels/layernorm/layernorm.h"
#include "kernels/optimizer/optimizer.h"
#include "kernels/position_bias/position_bias.h"
#include "kernels/rmsnorm/rmsnorm.h"
#include "kernels/rope/rope.h"
#include "kernels/scalenorm/scalenorm.h"
#include "kernels/softmax/softmax.h"

namespace tpp::twin {

// The pointer and what it points to in the library that makes a Table. Code that only uses one links nothing.
#define TPP_TWIN(name) decltype(&twin::name<S>) name = &twin::name<S>
#define TPP_PLAIN_TWIN(name) decltype(&twin::name) name = &twin::name

template <Storage S>
struct Table {
  // Chapter 02: elementwise
  TPP_TWIN(add);
  TPP_TWIN(add_to);
  TPP_TWIN(fill);
  TPP_TWIN(scale);
  TPP_TWIN(multiply);
  TPP_TWIN(add_row);
  TPP_TWIN(column_sums);
  TPP_TWIN(fill_with);
  TPP_TWIN(sum_all);

  // Chapter 02: products, for values and for gradients of parameters
  decltype(&twin::product<S, S>) product = &twin::product<S, S>;
  decltype(&twin::product<S, float>) product_float = &twin::product<S, float>;

  // Chapter 04
  TPP_TWIN(embedding_forward);
  TPP_TWIN(embedding_backward);

  // Chapter 05
  TPP_TWIN(softmax_forward);
  TPP_TWIN(softmax_backward);
  TPP_TWIN(cross_entropy_forward);
  TPP_TWIN(cross_entropy_fused);
  TPP_TWIN(cross_entropy_scale);
  TPP_PLAIN_TWIN(cross_entropy_loss);

  // Chapters 06 and 15
  TPP_TWIN(attention_forward);
  TPP_TWIN(attention_backward);

  // Chapter 07; biases of the logits are float
  TPP_TWIN(add_positions);
  TPP_TWIN(add_positions_backward);
  TPP_PLAIN_TWIN(t5_bias_forward);
  TPP_PLAIN_TWIN(t5_bias_backward);
  TPP_PLAIN_TWIN(alibi_bias);

  // Chapter 08
  TPP_TWIN(layernorm_forward);
  TPP_TWIN(layernorm_backward);

  // Chapter 09
  TPP_TWIN(activation_forward);
  TPP_TWIN(activation_backward);

  // Chapter 10: the same for every storage type, since parameters are float
  TPP_PLAIN_TWIN(global_norm);
  TPP_PLAIN_TWIN(optimizer_update);
  decltype(&twin::convert<float, Bf16>) round_to_bf16 = &twin::convert<float, Bf16>;

  // Chapter 13
  TPP_TWIN(rope_forward);
  TPP_TWIN(rope_backward);
  TPP_TWIN(rope_forward_both);
  TPP_TWIN(rope_backward_both);

  // Chapter 14
  TPP_TWIN(glu_forward);
  TPP_TWIN(glu_backward);

  // Chapter 12. rmsnorm_residual_backward adds to the gradient that the residual sum left
  TPP_TWIN(rmsnorm_forward);
  TPP_TWIN(rmsnorm_backward);
  TPP_TWIN(rmsnorm_residual_forward);
  TPP_TWIN(rmsnorm_residual_backward);
  TPP_TWIN(scalenorm_forward);
  TPP_TWIN(scalenorm_backward);
};

/// The runtime of a backend (kernels/common/runtime.h).
struct Runtime {
  TPP_PLAIN_TWIN(allocate);
  TPP_PLAIN_TWIN(release);
  TPP_PLAIN_TWIN(upload);
  TPP_PLAIN_TWIN(download);
  TPP_PLAIN_TWIN(download_later);
  TPP_PLAIN_TWIN(copy);
  TPP_PLAIN_TWIN(fill_zero);
  TPP_PLAIN_TWIN(allocate_pinned);
  TPP_PLAIN_TWIN(release_pinned);
  TPP_PLAIN_TWIN(make_stream);
  TPP_PLAIN_TWIN(destroy_stream);
  TPP_PLAIN_TWIN(synchronize);
  TPP_PLAIN_TWIN(wait_for);
  TPP_PLAIN_TWIN(begin_capture);
  TPP_PLAIN_TWIN(end_capture);
  TPP_PLAIN_TWIN(replay);
  TPP_PLAIN_TWIN(destroy_graph);
  TPP_PLAIN_TWIN(device_info);
  TPP_PLAIN_TWIN(prepare_products);
  TPP_PLAIN_TWIN(release_products);
  TPP_PLAIN_TWIN(tune_products);
};

#undef TPP_TWIN
#undef TPP_PLAIN_TWIN

struct Backend {
  Runtime runtime;
  Table<float> float32;
  Table<Bf16> bf16;
  std::size_t size = sizeof(Backend);  // differs when two builds are mixed
};

}  // namespace tpp::twin

/// The GPU's backend, in the library that is loaded when somebody asks for it.
extern "C" const tpp::twin::Backend* tpp_gpu_backend();
