#include "chapters/01_tensor/matmul.h"

namespace tpp {

// noalias() promises Eigen that c is neither a nor b: without it every product goes through a
// temporary matrix. The promise is the caller's: an output is never also an input.

// [snip matmul]
template <Real T>
void matmul(In<Mat<T>> a, In<Mat<T>> b, Out<Mat<T>> c, Write write) {
  require_shape("matmul: b", shape_of(b), {a.cols(), b.cols()});
  require_shape("matmul: c", shape_of(c), {a.rows(), b.cols()});
  if (write == Write::set) {
    c.noalias() = a * b;
  } else {
    c.noalias() += a * b;
  }
}
// [/snip]

template <Real T>
void matmul_nt(In<Mat<T>> a, In<Mat<T>> b, Out<Mat<T>> c, Write write) {
  require_shape("matmul_nt: b", shape_of(b), {b.rows(), a.cols()});
  require_shape("matmul_nt: c", shape_of(c), {a.rows(), b.rows()});
  if (write == Write::set) {
    c.noalias() = a * b.transpose();
  } else {
    c.noalias() += a * b.transpose();
  }
}

template <Real T>
void matmul_tn(In<Mat<T>> a, In<Mat<T>> b, Out<Mat<T>> c, Write write) {
  require_shape("matmul_tn: b", shape_of(b), {a.rows(), b.cols()});
  require_shape("matmul_tn: c", shape_of(c), {a.cols(), b.cols()});
  if (write == Write::set) {
    c.noalias() = a.transpose() * b;
  } else {
    c.noalias() += a.transpose() * b;
  }
}

template void matmul<float>(In<Mat<float>>, In<Mat<float>>, Out<Mat<float>>, Write);
template void matmul<double>(In<Mat<double>>, In<Mat<double>>, Out<Mat<double>>, Write);
template void matmul_nt<float>(In<Mat<float>>, In<Mat<float>>, Out<Mat<float>>, Write);
template void matmul_nt<double>(In<Mat<double>>, In<Mat<double>>, Out<Mat<double>>, Write);
template void matmul_tn<float>(In<Mat<float>>, In<Mat<float>>, Out<Mat<float>>, Write);
template void matmul_tn<double>(In<Mat<double>>, In<Mat<double>>, Out<Mat<double>>, Write);

}  // namespace tpp
