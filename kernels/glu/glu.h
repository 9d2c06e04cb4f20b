// Gated units, in three versions:
//   v1_number_a_thread  a thread makes one number: 4 or 2 bytes a load
//   v2_vector_loads     a thread makes 16 bytes of one row
//   v3_many_in_flight   a thread makes 16 bytes of several rows and asks for all of them before it computes
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

/// What is done to the gate before it multiplies the value, in the order of chapter 14.
enum class Gate { glu, bilinear, reglu, geglu, swiglu };

enum class GluVersion { latest, v1_number_a_thread, v2_vector_loads, v3_many_in_flight };

/// y[n,f] = a(gate[n,f]) · value[n,f], a as the kind says.
///
/// Shapes  gate, value (N, F), their rows ldg and ldv numbers apart → y (N, F)
/// Errors  std::invalid_argument unless N, F ≥ 1 and ldg, ldv ≥ F
/// Bytes   N·F·(2 reads + 1 write)
/// Reference  chapters/14_swiglu
template <Storage T>
void glu_forward(Stream stream, Gate kind, const T* gate, int ldg, const T* value, int ldv, T* y,
                 int N, int F, GluVersion version);

/// dgate = dy ⊙ value ⊙ a′(gate),     dvalue = dy ⊙ a(gate)
///
/// Shapes  dy (N, F), gate, value (N, F) → dgate, dvalue (N, F), their rows lddg and lddv apart
/// Errors  std::invalid_argument as above
/// Bytes   N·F·(3 reads + 2 writes)
template <Storage T>
void glu_backward(Stream stream, Gate kind, const T* dy, const T* gate, int ldg, const T* value,
                  int ldv, T* dgate, int lddg, T* dvalue, int lddv, int N, int F,
                  GluVersion version);

}  // namespace tpp::twin
