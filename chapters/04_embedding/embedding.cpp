#include "chapters/04_embedding/embedding.h"

#include <string>

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/04_embedding/exercises/lookup_backward/reference.h"  // embedding_backward

namespace tpp {

void require_tokens(std::span<const int> tokens, Index V) {
  for (std::size_t n = 0; n < tokens.size(); ++n) {
    if (tokens[n] >= 0 && tokens[n] < V) continue;
    require(false, "embedding: token " + std::to_string(tokens[n]) + " at place " +
                       std::to_string(n) + " is not in the table, which has " + std::to_string(V) +
                       " rows");
  }
}

// [snip embedding_forward]
template <Real T>
void embedding_forward(In<Mat<T>> table, std::span<const int> tokens, Out<Mat<T>> y) {
  const Index N = Index(tokens.size());
  require_shape("embedding: y", shape_of(y), {N, table.cols()});
  require_tokens(tokens, table.rows());
  for (Index n = 0; n < N; ++n) y.row(n) = table.row(tokens[n]);
}
// [/snip]

template <Real T>
Var<T> embedding(Var<T> table, std::span<const int> tokens, std::string_view name) {
  Tape<T>& tape = *table.tape;
  const Var<T> y = tape.make(Index(tokens.size()), table.cols(), name);
  if (tape.on_device()) {
    require_tokens(tokens, table.rows());
    const int* places = tape.device_ints(tokens);
    const int N = int(tokens.size()), V = int(table.rows()), D = int(table.cols());
    run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      twin.embedding_forward(stream, table.template device<S>(), places, y.template device<S>(), N,
                             V, D, {});
    });
    return tape.record(y, {table}, [=](Tape<T>& t) {
      const Target<T> dtable = t.target(table);
      float* work = t.template device_scratch<float>(twin::embedding_backward_work(N, V));
      run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        twin.embedding_backward(stream, y.template device_grad<S>(), places,
                                dtable.template device<float>(), work, N, V, D,
                                twin_write(dtable.write), {});
      });
    });
  }
  static const Slot& place = slot("embedding_backward");
  if (auto* const mine = mine_in<T>(place, embedding_backward<T>)) {
    const std::span<const int> given = tape.keep(tokens);
    embedding_forward<T>(table.value(), given, y.value());
    return tape.record(y, {table}, [=](Tape<T>& t) {
      const Target<T> dtable = t.target(table);
      mine(y.grad(), given, dtable.mat, dtable.write);
    });
  }
  // [snip on_tape]
  const std::span<const int> kept = tape.keep(tokens);
  embedding_forward<T>(table.value(), kept, y.value());
  return tape.record(y, {table}, [=](Tape<T>& t) {
    // Add straight into the table's gradient: scratch of its size would cost more than the sum
    const Target<T> dtable = t.target(table);
    embedding_backward<T>(y.grad(), kept, dtable.mat, dtable.write);
  });
  // [/snip]
}

#define TPP_INSTANTIATE(T)                                                                   \
  template void embedding_forward<T>(In<Mat<T>>, std::span<const int>, Out<Mat<T>>);         \
  template void embedding_backward<T>(In<Mat<T>>, std::span<const int>, Out<Mat<T>>, Write); \
  template Var<T> embedding<T>(Var<T>, std::span<const int>, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
