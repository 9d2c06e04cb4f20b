// The usual mistakes. Each is what would stand in the hole.

// [wrong swapped "Gate and value are swapped: SiLU acts on the gate, the value stays as it is."]
// [hole row]
dvalue = value.logistic();
dgate = dy * value * dvalue;
dvalue = dy * gate * dvalue * (T(1) + value * (T(1) - dvalue));
// [/hole]
// [/wrong]

// [wrong results_swapped "The two results have changed places: the one with SiLU's slope in it belongs to the gate."]
// [hole row]
dvalue = gate.logistic();
dgate = dy * gate * dvalue;
dvalue = dy * value * dvalue * (T(1) + gate * (T(1) - dvalue));
// [/hole]
// [/wrong]

// [wrong sigmoid_slope_only "dgate has the slope of σ alone, σ·(1 − σ). That is GLU's gate; SwiGLU's is g·σ, a product with a slope of two terms."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * gate * dgate;
dgate = dy * value * dgate * (T(1) - dgate);
// [/hole]
// [/wrong]

// [wrong sigmoid_constant "dgate treats σ as a constant: g·σ changes through σ as well, which gives g·σ·(1 − σ) more."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * gate * dgate;
dgate = dy * value * dgate;
// [/hole]
// [/wrong]

// [wrong first_term_missing "dgate has only g·σ·(1 − σ), the term through σ. The product's other term, σ itself, is missing."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * gate * dgate;
dgate = dy * value * gate * dgate * (T(1) - dgate);
// [/hole]
// [/wrong]

// [wrong factor_missing "In SiLU's slope the second term is σ·(1 − σ) without its factor g: the slope is σ + g·σ·(1 − σ)."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * gate * dgate;
dgate = dy * value * dgate * (T(1) + (T(1) - dgate));
// [/hole]
// [/wrong]

// [wrong slope_sign "The sign in SiLU's slope is swapped: it is σ plus g·σ·(1 − σ), because σ grows with g."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * gate * dgate;
dgate = dy * value * dgate * (T(1) - gate * (T(1) - dgate));
// [/hole]
// [/wrong]

// [wrong value_missing "The value is missing in dgate: where the value is large, the gate moves y more."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * gate * dgate;
dgate = dy * dgate * (T(1) + gate * (T(1) - dgate));
// [/hole]
// [/wrong]

// [wrong dvalue_by_sigmoid "dvalue has σ(g) for its factor, which is GLU's gate. SwiGLU multiplies the value by g·σ(g)."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * dgate;
dgate = dy * value * dgate * (T(1) + gate * (T(1) - dgate));
// [/hole]
// [/wrong]

// [wrong dvalue_with_value "dvalue has the value itself as a factor: y is linear in it, so its slope is the gate's part alone."]
// [hole row]
dgate = gate.logistic();
dvalue = dy * gate * dgate * value;
dgate = dy * value * dgate * (T(1) + gate * (T(1) - dgate));
// [/hole]
// [/wrong]

// [wrong no_dy "These are the slopes of y alone. The chain rule multiplies both by dy, what reaches y from above."]
// [hole row]
dgate = gate.logistic();
dvalue = gate * dgate;
dgate = value * dgate * (T(1) + gate * (T(1) - dgate));
// [/hole]
// [/wrong]

// [wrong dgate_too_early "dvalue reads dgate after its final value is written there: σ was gone by then. Finish dvalue first."]
// [hole row]
dgate = gate.logistic();
dgate = dy * value * dgate * (T(1) + gate * (T(1) - dgate));
dvalue = dy * gate * dgate;
// [/hole]
// [/wrong]

// [wrong overflow "The slope of σ is written as e^−g / (1 + e^−g)², which is infinity over infinity for a gate of −1000: NaN. σ·(1 − σ) is the same and stays finite."]
// [hole row]
const Eigen::Array<T, 1, Eigen::Dynamic, Eigen::RowMajor> e = (-gate).exp();
dvalue = dy * gate / (T(1) + e);
dgate = dy * value * (T(1) / (T(1) + e) + gate * e / (T(1) + e).square());
// [/hole]
// [/wrong]
