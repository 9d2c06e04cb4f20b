// The usual mistakes. Each is what would stand in one of the holes.

// [wrong density_term_missing "gelu: the term x·φ is missing. Φ depends on x, too, so the product rule gives two terms."]
// [hole gelu]
dx = dy * T(0.5) * (T(1) + (x * kSqrtHalf<T>).erf());
// [/hole]
// [/wrong]

// [wrong cdf_term_missing "gelu: the term Φ is missing, or it is 0 (in C++, 1 / 2 is 0: write T(0.5)). The product rule gives two terms: Φ and x·φ."]
// [hole gelu]
dx = dy * x * kNormalDensity<T> * (T(-0.5) * x.square()).exp();
// [/hole]
// [/wrong]

// [wrong density_without_x "gelu: the second term is φ alone. It is x·φ: the factor x stays when Φ is differentiated."]
// [hole gelu]
dx = dy * (T(0.5) * (T(1) + (x * kSqrtHalf<T>).erf()) +
           kNormalDensity<T> * (T(-0.5) * x.square()).exp());
// [/hole]
// [/wrong]

// [wrong density_without_half "gelu: the density's exponent is −x² here. It is −x²/2."]
// [hole gelu]
dx =
    dy * (T(0.5) * (T(1) + (x * kSqrtHalf<T>).erf()) + x * kNormalDensity<T> * (-x.square()).exp());
// [/hole]
// [/wrong]

// [wrong density_not_normal "gelu: the density is not divided by √(2π)."]
// [hole gelu]
dx = dy * (T(0.5) * (T(1) + (x * kSqrtHalf<T>).erf()) + x * (T(-0.5) * x.square()).exp());
// [/hole]
// [/wrong]

// [wrong erf_of_x "gelu: erf is taken of x. Φ(x) = ½·(1 + erf(x/√2))."]
// [hole gelu]
dx = dy * (T(0.5) * (T(1) + x.erf()) + x * kNormalDensity<T> * (T(-0.5) * x.square()).exp());
// [/hole]
// [/wrong]

// [wrong forward_again "gelu: this is dy times the forward's result, x·Φ(x), not times its slope."]
// [hole gelu]
dx = dy * T(0.5) * x * (T(1) + (x * kSqrtHalf<T>).erf());
// [/hole]
// [/wrong]

// [wrong gelu_dy_missing "gelu: dy is missing. dx is dy times the slope, number by number."]
// [hole gelu]
dx = T(0.5) * (T(1) + (x * kSqrtHalf<T>).erf()) +
     x * kNormalDensity<T> * (T(-0.5) * x.square()).exp();
// [/hole]
// [/wrong]

// [wrong inner_derivative_missing "gelu_tanh: the inner derivative u′ is missing. tanh(u) has the slope (1 − t²)·u′: the chain rule has one more factor."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * T(0.5) * (T(1) + dx + x * (T(1) - dx.square()));
// [/hole]
// [/wrong]

// [wrong slope_missing "gelu_tanh: u′ lacks its factor √(2/π)."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * T(0.5) *
     (T(1) + dx + x * (T(1) - dx.square()) * (T(1) + T(3) * kGeluCubic<T> * x.square()));
// [/hole]
// [/wrong]

// [wrong three_missing "gelu_tanh: in u′ the 3 is missing. x³ has the slope 3·x²."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * T(0.5) *
     (T(1) + dx + x * (T(1) - dx.square()) * kGeluSlope<T> * (T(1) + kGeluCubic<T> * x.square()));
// [/hole]
// [/wrong]

// [wrong cubic_missing "gelu_tanh: u′ is √(2/π) alone. u has a cubic term, whose slope is √(2/π)·3·0.044715·x²."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * T(0.5) * (T(1) + dx + x * (T(1) - dx.square()) * kGeluSlope<T>);
// [/hole]
// [/wrong]

// [wrong tanh_not_squared "gelu_tanh: the slope of tanh is 1 − t here. It is 1 − t²."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * T(0.5) *
     (T(1) + dx + x * (T(1) - dx) * kGeluSlope<T> * (T(1) + T(3) * kGeluCubic<T> * x.square()));
// [/hole]
// [/wrong]

// [wrong second_term_missing "gelu_tanh: the second term of the product rule is missing. tanh(u) depends on x, too."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * T(0.5) * (T(1) + dx);
// [/hole]
// [/wrong]

// [wrong first_term_missing "gelu_tanh: the first term of the product rule, ½·(1 + t), is missing."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * T(0.5) * x * (T(1) - dx.square()) * kGeluSlope<T> *
     (T(1) + T(3) * kGeluCubic<T> * x.square());
// [/hole]
// [/wrong]

// [wrong half_on_one_term "gelu_tanh: the ½ stands before the first term only. It multiplies both."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = dy * (T(0.5) * (T(1) + dx) +
           x * (T(1) - dx.square()) * kGeluSlope<T> * (T(1) + T(3) * kGeluCubic<T> * x.square()));
// [/hole]
// [/wrong]

// [wrong exact_slope "gelu_tanh: this is the slope of the exact gelu. It differs in the fourth digit: the way back belongs to the forward that ran."]
// [hole gelu_tanh]
dx = dy * (T(0.5) * (T(1) + (x * kSqrtHalf<T>).erf()) +
           x * kNormalDensity<T> * (T(-0.5) * x.square()).exp());
// [/hole]
// [/wrong]

// [wrong tanh_dy_missing "gelu_tanh: dy is missing. dx is dy times the slope, number by number."]
// [hole gelu_tanh]
dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
dx = T(0.5) *
     (T(1) + dx +
      x * (T(1) - dx.square()) * kGeluSlope<T> * (T(1) + T(3) * kGeluCubic<T> * x.square()));
// [/hole]
// [/wrong]
