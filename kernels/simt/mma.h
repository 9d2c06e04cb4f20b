// Tensor cores, one warp at a time: m16n8k16 for bfloat16, and ldmatrix to feed it.
//
// Lane l has group g = l / 4 and place t = l % 4. It holds, two neighbours in a register:
//
//   a (16×16)   a[0] = A[g][2t, 2t+1]   a[1] = A[g+8][2t, 2t+1]   a[2] = A[g][2t+8, 2t+9]   a[3] = A[g+8][2t+8, 2t+9]
//   b (16×8)    b[0] = B[2t, 2t+1][g]   b[1] = B[2t+8, 2t+9][g]
//   c, d (16×8) c[0, 1] = C[g][2t, 2t+1]   c[2, 3] = C[g+8][2t, 2t+1]
//
// (PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".) A wrong mapping gives wrong numbers here too.
#pragma once

#include <cstdint>

#include "kernels/simt/simt.h"

#ifdef __CUDACC__

namespace tpp {

/// d = a·b + c for one 16×8×16 product, float sums of bfloat16 values. The whole warp calls it.
__device__ inline void mma_m16n8k16(float (&d)[4], const std::uint32_t (&a)[4],
                                    const std::uint32_t (&b)[2], const float (&c)[4]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%10,%11,%12,%13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]),
        "f"(c[2]), "f"(c[3]));
}

/// Four 8×8 matrices of 16-bit values from shared memory. Lane l points to row l % 8 (16 bytes) of matrix l / 8, and
/// gets of each matrix the two values at row l / 4, columns 2(l % 4) and the next.
__device__ inline void ldmatrix_x4(std::uint32_t (&r)[4], const void* row) {
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

/// The same, each matrix transposed.
__device__ inline void ldmatrix_x4_trans(std::uint32_t (&r)[4], const void* row) {
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

}  // namespace tpp

#else

namespace tpp {

namespace simt {
void warp_mma(float* d, const std::uint32_t* a, const std::uint32_t* b, const float* c, Site site);
void warp_ldmatrix(std::uint32_t* r, const void* row, bool transposed, Site site);
}  // namespace simt

inline namespace TPP_SIMT_VARIANT {

/// d = a·b + c for one 16×8×16 product, float sums of bfloat16 values. The whole warp calls it.
TPP_SIMT_INLINE void mma_m16n8k16(float (&d)[4], const std::uint32_t (&a)[4],
                                  const std::uint32_t (&b)[2], const float (&c)[4], TPP_SIMT_SITE) {
  simt::warp_mma(d, a, b, c, {file, line});
}

/// Four 8×8 matrices of 16-bit values from shared memory. Lane l points to row l % 8 (16 bytes) of matrix l / 8, and
/// gets of each matrix the two values at row l / 4, columns 2(l % 4) and the next.
TPP_SIMT_QUIET void ldmatrix_x4(std::uint32_t (&r)[4], const void* row, TPP_SIMT_SITE) {
  TPP_SIMT_TOUCH(row, 16, simt::Access::kRead);
  simt::warp_ldmatrix(r, row, false, {file, line});
}

/// The same, each matrix transposed.
TPP_SIMT_QUIET void ldmatrix_x4_trans(std::uint32_t (&r)[4], const void* row, TPP_SIMT_SITE) {
  TPP_SIMT_TOUCH(row, 16, simt::Access::kRead);
  simt::warp_ldmatrix(r, row, true, {file, line});
}

}  // namespace TPP_SIMT_VARIANT

}  // namespace tpp

#endif
