// RoPE: turn every query and key by an angle that grows with its position, and their dot product
// sees only how far apart they stand.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// Which two features of a head turn together, as one point in a plane.
enum class Pairing {
  adjacent,  // (0, 1), (2, 3), …: the paper
  halves,    // (0, K/2), (1, K/2 + 1), …: GPT-NeoX and Llama's weights as they are shared today
};

/// How a trained model reads texts `factor` times as long: its pairs turn slower, so that far positions
/// come back to angles that it has seen.
struct RopeScaling {
  enum class Kind {
    none,
    linear,  // position interpolation: all pairs alike
    ntk,     // NTK-aware: the first pair not at all, the last one by the whole factor
    yarn,  // pairs that turned often in training not at all, those that turned less than once wholly
  } kind = Kind::none;
  double factor = 1;   // s: the length wanted over the length trained; 1 changes no bit
  double trained = 0;  // tokens in a sequence of training, for YaRN alone; 0: the table's over s
  double slow = 1;     // YaRN's α: whoever turns less often in training is interpolated
  double fast = 32;    // YaRN's β: whoever turns more often stays
};

struct RopeConfig {
  double base = 10000;  // of the wavelengths: the slowest pair turns once in about 2π·base tokens
  Pairing pairing = Pairing::halves;
  RopeScaling scaling = {};
};

/// The angle that each pair turns by from one token to the next.
///
///   θ[p] = base^(−2p/K),     p = 0 … K/2 − 1
///
/// Errors  ShapeError unless K is even and positive, and base is positive
/// Paper   Su et al. 2021, arXiv:2104.09864, section 3.2.2 (there p counts from 1)
[[nodiscard]] std::vector<double> rope_frequencies(Index K, double base = 10000);

/// The same, scaled for tables of `length` positions. With s for the factor:
///
///   linear  θ[p] / s
///   ntk     θ[p] · s^(−2p/(K−2)), which is another base: base·s^(K/(K−2))
///   yarn    θ[p] · (1 − share) + θ[p]/s · share,  share = (β − r)/(β − α), kept within 0 and 1,
///           r = trained·θ[p]/2π, the turns that the pair makes in training
///
/// Errors  ShapeError unless the factor is at least 1 and finite, trained is not negative, 0 < α < β
/// Paper   linear: Chen et al. 2023, arXiv:2306.15595, eq. 4
///         ntk, yarn: Peng et al. 2023, arXiv:2309.00071, definitions 1 and 2 (sections 3.1 and 3.2)
[[nodiscard]] std::vector<double> rope_frequencies(Index K, const RopeConfig& cfg, Index length);

/// What YaRN multiplies queries and keys with: 0.1·ln s + 1, and 1 for all others. Their product grows
/// by its square, so the softmax becomes sharper.
/// Paper   Peng et al. 2023, arXiv:2309.00071, section 3.4
[[nodiscard]] double rope_magnitude(const RopeScaling& scaling);

/// Cosine and sine of every position's angles: computed once, read by every layer.
template <Real T>
struct RopeTable {
  Mat<T> cos;  // (T, K/2)  cos(t·θ[p]), times the magnitude
  Mat<T> sin;  // (T, K/2)
};

/// The table for positions 0 … length − 1 and heads of K features.
template <Real T>
[[nodiscard]] RopeTable<T> rope_table(Index length, Index K, RopeConfig cfg = {});

/// Turn each pair (a, b) of each head of row b·T + t by the angle t·θ[p].
///
///   y_a = x_a·cos(t·θ[p]) − x_b·sin(t·θ[p])
///   y_b = x_a·sin(t·θ[p]) + x_b·cos(t·θ[p])
///
/// Shapes  x (B·T, heads·K), table (≥ T, K/2) → y (B·T, heads·K); `length` is T. y is not x
/// Errors  ShapeError unless K is even, x has whole heads and whole sequences, and the table fits
/// Cost    one read of x, one write of y: memory-bound
/// Paper   Su et al. 2021, arXiv:2104.09864, eq. 34 (adjacent pairs). The halves are a permutation of
///         the features: a learned projection cannot tell the two apart, a loaded one can
/// Twin    kernels/rope
template <Real T>
void rope_forward(In<Mat<T>> x, Index length, Index K, const RopeTable<T>& table, Pairing pairing,
                  Out<Mat<T>> y);

/// A rotation's transpose is its inverse: turn dy back by the same angles. (A magnitude is not undone:
/// the gradient is multiplied by it again, as a transpose must.)
///
///   dx_a =  dy_a·cos(t·θ[p]) + dy_b·sin(t·θ[p])
///   dx_b = −dy_a·sin(t·θ[p]) + dy_b·cos(t·θ[p])
///
/// Shapes  dy (B·T, heads·K) → dx (B·T, heads·K)
template <Real T>
void rope_backward(In<Mat<T>> dy, Index length, Index K, const RopeTable<T>& table, Pairing pairing,
                   Out<Mat<T>> dx);

/// On the tape: x (B·T, heads·K), which may be a block of columns → (B·T, heads·K).
/// The table must outlive the pass.
template <Real T>
Var<T> rope(Var<T> x, Index length, Index K, const RopeTable<T>& table, Pairing pairing,
            std::string_view name = "rope");

/// Queries and keys together, (B·T, heads·K) each: the same values and gradients; on a device one launch
/// turns both. Their names are "q_rotated" and "k_rotated".
template <Real T>
std::array<Var<T>, 2> rope_both(Var<T> q, Var<T> k, Index length, Index K,
                                const RopeTable<T>& table, Pairing pairing);

}  // namespace tpp
