// The products of a model's layers, by NVIDIA's library. How such a product works inside is kernels/matmul's subject; this
// is what training calls.
//
//   product.cu         on a GPU: cuBLASLt
//   host_product.cpp   on the emulator: the same by this processor, in blocks that its vector registers fit
//   by_tiles.cuh       a short kernel for where there is no cuBLASLt, or where it refuses a shape
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

/// c (M, N) = op(a) (M, K) · op(b) (K, N), where op is the matrix as it stands or transposed.
struct ProductShape {
  bool transpose_a = false;  // a is stored as (K, M)
  bool transpose_b = false;  // b is stored as (N, K)
  int M = 0, N = 0, K = 0;
};

/// c (+)= op(a)·op(b). Row-major; lda, ldb, ldc are the distances from one stored row to the next, in numbers. Sums are
/// float whatever the storage. `tf32`: tensor cores may read floats with 10 bits of mantissa; nothing changes for Bf16.
///
/// (T, Out) are (float, float), (Bf16, Bf16) and (Bf16, float); the last is for gradients of parameters.
/// Reference: matmul, matmul_nt, matmul_tn in chapters/01_tensor. c must not overlap a or b.
/// Errors: std::invalid_argument for a negative size or a stride shorter than a row; std::runtime_error with cuBLASLt's
/// word; std::logic_error in a capture, unless prepare_products(stream) came before.
template <Storage T, Storage Out>
void product(Stream stream, ProductShape shape, const T* a, int lda, const T* b, int ldb, Out* c,
             int ldc, Write write, bool tf32);

/// The same by the short kernel.
template <Storage T, Storage Out>
void product_by_tiles(Stream stream, ProductShape shape, const T* a, int lda, const T* b, int ldb,
                      Out* c, int ldc, Write write);

/// Get the library and a workspace of 32 MB for this stream; the first product does it too, but cannot in a capture.
/// Do every product once before it is captured: CUDA loads a kernel when it is first used.
void prepare_products(Stream stream);
/// Give the workspace back, before the stream is destroyed.
void release_products(Stream stream) noexcept;

/// From now on, time the library's first eight suggestions for every shape that has not been timed yet, outside of
/// captures, and keep the fastest. Two runs may then choose differently, and differ in the last bits. Without it the
/// library's first suggestion is taken.
void tune_products(bool tune);

/// What all of them refuse.
inline void check_product(const ProductShape& s, int lda, int ldb, int ldc) {
  require(s.M >= 0 && s.N >= 0 && s.K >= 0, "product: a size is negative");
  require(lda >= (s.transpose_a ? s.M : s.K), "product: lda is shorter than a row of a");
  require(ldb >= (s.transpose_b ? s.K : s.N), "product: ldb is shorter than a row of b");
  require(ldc >= s.N, "product: ldc is shorter than a row of c");
}

}  // namespace tpp::twin
