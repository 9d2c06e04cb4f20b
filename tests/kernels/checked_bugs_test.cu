// Every planted mistake is reported: kernel, block, threads, array, source line. In three orders of threads.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/kernels/bug_kernels.cuh"
#include "tests/testing.h"

using namespace tpp;

namespace {

// The place of the line with this mark, as messages write it.
std::string mark(const std::string& name) {
  std::ifstream file(TPP_SOURCE_DIR "/tests/kernels/bug_kernels.cuh");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const auto at = line.find("// <- " + name);
    if (at != std::string::npos && line.size() == at + 6 + name.size()) {
      return "bug_kernels.cuh:" + std::to_string(number);
    }
  }
  FAIL("no mark '" << name << "'");
  return "";
}

// Run it in every order; each message must hold all the pieces. Order::kForward must give exactly `forward`, if said.
template <class F>
void must_report(F f, const std::vector<std::string>& pieces, const std::string& forward = "") {
  const auto before = simt::options().order;
  for (const auto order : {simt::Order::kForward, simt::Order::kReverse, simt::Order::kRandom}) {
    simt::options().order = order;
    std::string message = "(no report)";
    try {
      f();
    } catch (const simt::Error& e) {
      message = e.what();
    }
    for (const auto& piece : pieces) {
      INFO(message);
      INFO("must hold: " << piece);
      CHECK(message.find(piece) != std::string::npos);
    }
    if (order == simt::Order::kForward && !forward.empty()) CHECK(message == "simt: " + forward);
  }
  simt::options().order = before;
}

std::vector<float> zeros(std::size_t n) { return std::vector<float>(n); }

}  // namespace

TEST_CASE("bug: missing barrier", "[simt]") {
  DeviceArray<float> y(128);
  must_report([&] { launch(bugs::missing_barrier, 1, 128)(y.data()); },
              {"race (shared memory) in kernel missing_barrier, block (0,0,0)", "s + ",
               mark("missing_barrier write"), mark("missing_barrier read"),
               "no __syncthreads between them"},
              "race (shared memory) in kernel missing_barrier, block (0,0,0)\n"
              "  thread (64,0,0) writes s + 256 B, " +
                  mark("missing_barrier write") + "\n  thread (63,0,0) read it, " +
                  mark("missing_barrier read") + "\n  no __syncthreads between them");
}

TEST_CASE("bug: missing second barrier in a tile loop", "[simt]") {
  DeviceArray<float> x(zeros(128)), y(64);
  must_report([&] { launch(bugs::missing_second_barrier, 1, 64)(x.data(), y.data()); },
              {"race (shared memory) in kernel missing_second_barrier", "tile + ",
               mark("second_barrier write"), mark("second_barrier read")});
}

TEST_CASE("bug: barrier under a condition", "[simt]") {
  DeviceArray<float> y(128);
  must_report([&] { launch(bugs::divergent_barrier, 1, 128)(y.data()); }, {},
              "kernel divergent_barrier, block (0,0,0): not every thread of the block reached the "
              "same __syncthreads\n  64 thread(s) wait at __syncthreads, " +
                  mark("divergent_barrier") +
                  ", first (0,0,0)\n  64 thread(s) returned from the kernel, first (64,0,0)");
}

TEST_CASE("bug: two different barriers", "[simt]") {
  DeviceArray<float> y(128);
  must_report([&] { launch(bugs::two_barriers, 1, 128)(y.data()); },
              {"kernel two_barriers, block (0,0,0): not every thread",
               "64 thread(s) wait at __syncthreads, " + mark("two_barriers first"),
               "64 thread(s) wait at __syncthreads, " + mark("two_barriers second")});
}

TEST_CASE("bug: early return", "[simt]") {
  DeviceArray<float> y(128);
  must_report([&] { launch(bugs::early_return, 2, 128)(y.data(), 100); },
              {"kernel early_return, block (0,0,0)",
               "100 thread(s) wait at __syncthreads, " + mark("early_return") + ", first (0,0,0)",
               "28 thread(s) returned from the kernel, first (100,0,0)"});
}

TEST_CASE("bug: off by one", "[simt]") {
  DeviceArray<float> y(100);
  simt::name_buffer(y.data(), "result");
  must_report([&] { launch(bugs::off_by_one, 1, 128)(y.data(), 100); }, {},
              "out of bounds (global memory) in kernel off_by_one, block (0,0,0)\n"
              "  thread (100,0,0) writes 4 bytes, 0 bytes past the end of result (400 bytes; "
              "element 100 of 100), " +
                  mark("off_by_one"));
}

TEST_CASE("bug: before the start", "[simt]") {
  DeviceArray<float> x(zeros(32)), y(32);
  must_report([&] { launch(bugs::before_the_start, 1, 32)(x.data(), y.data()); },
              {"out of bounds (global memory) in kernel before_the_start",
               "thread (0,0,0) reads 4 bytes, 4 bytes before the start of buffer #",
               mark("before_the_start")});
}

TEST_CASE("bug: too little dynamic shared memory", "[simt]") {
  DeviceArray<float> y(64);
  must_report(
      [&] { launch(bugs::small_dynamic, 1, 64, 63 * sizeof(float))(y.data()); },
      {"out of bounds (dynamic shared memory) in kernel small_dynamic, block (0,0,0)",
       "thread (63,0,0) writes byte 252 of 252 requested at launch, " + mark("small_dynamic")});
}

TEST_CASE("bug: past the end of a shared array", "[simt]") {
  DeviceArray<float> y(64);
  must_report([&] { launch(bugs::shared_overflow, 1, 64)(y.data()); },
              {"out of bounds (array) in kernel shared_overflow, block (0,0,0)",
               "thread (63,0,0): index 64 out of bounds of", mark("shared_overflow")});
}

TEST_CASE("bug: past the end of a row, inside the array", "[simt]") {
  DeviceArray<float> y(32);
  must_report([&] { launch(bugs::row_overflow, 1, 32)(y.data()); },
              {"out of bounds (array) in kernel row_overflow, block (0,0,0)",
               "thread (31,0,0): index 32 out of bounds of", mark("row_overflow")});
}

TEST_CASE("bug: shared memory that nobody wrote", "[simt]") {
  DeviceArray<float> y(64);
  must_report([&] { launch(bugs::uninitialised_shared, 1, 64)(y.data()); },
              {"uninitialised memory in kernel uninitialised_shared, block (0,0,0)", " reads s + ",
               "which nobody has written, " + mark("uninitialised_shared")});
}

TEST_CASE("bug: shared memory that an earlier block wrote", "[simt]") {
  DeviceArray<float> y(64);
  must_report([&] { launch(bugs::stale_shared, 2, 32)(y.data()); },
              {"uninitialised memory in kernel stale_shared, block (1,0,0)", mark("stale_shared")});
}

TEST_CASE("bug: global memory that nobody wrote", "[simt]") {
  DeviceArray<float> x(32), y(32);
  must_report([&] { launch(bugs::copy, 1, 32)(x.data(), y.data()); },
              {"uninitialised memory in kernel copy, block (0,0,0)", " reads buffer #",
               "which nobody has written, " + mark("copy read")});
}

TEST_CASE("bug: a host pointer", "[simt]") {
  DeviceArray<float> y(32);
  std::vector<float> x(32);
  must_report(
      [&] { launch(bugs::copy, 1, 32)(x.data(), y.data()); },
      {"out of bounds (global memory) in kernel copy, block (0,0,0)",
       "reads 4 bytes at an address that is no device memory (a host pointer, or garbage), " +
           mark("copy read")});
  must_report([&] { launch(bugs::copy, 1, 32)(nullptr, y.data()); }, {"no device memory"});
}

TEST_CASE("bug: a misaligned vector", "[simt]") {
  DeviceArray<float> x(zeros(200));
  DeviceArray<float4> y(32);
  must_report([&] { launch(bugs::misaligned, 1, 32)(x.data(), y.data()); },
              {"misaligned access in kernel misaligned, block (0,0,0)", "reads 16 bytes at offset ",
               mark("misaligned")});
}

TEST_CASE("bug: a shuffle under a condition", "[simt]") {
  DeviceArray<float> y(32);
  must_report(
      [&] { launch(bugs::divergent_shuffle, 1, 32)(y.data()); },
      {"kernel divergent_shuffle, block (0,0,0): a warp function waits for lanes that never come",
       "16 thread(s) wait in __shfl_xor_sync (mask 0xffffffff), " +
           mark("divergent_shuffle shuffle") + ", first (0,0,0)",
       "16 thread(s) wait at __syncthreads, " + mark("divergent_shuffle barrier") +
           ", first (16,0,0)"});
}

TEST_CASE("bug: different shuffles in one warp", "[simt]") {
  DeviceArray<float> y(32);
  must_report(
      [&] { launch(bugs::mixed_shuffles, 1, 32)(y.data()); },
      {"kernel mixed_shuffles, block (0,0,0): lanes of warp 0 are in different warp functions",
       "in __shfl_xor_sync at " + mark("mixed_shuffles first"),
       "in __shfl_xor_sync at " + mark("mixed_shuffles second")});
}

TEST_CASE("bug: a mask without its caller, a width that is no power of two", "[simt]") {
  DeviceArray<float> y(32);
  must_report([&] { launch(bugs::mask_without_caller, 1, 32)(y.data()); },
              {"calls __shfl_xor_sync with mask 0x0000ffff, which does not name it, " +
               mark("mask_without_caller")});
  must_report([&] { launch(bugs::bad_width, 1, 32)(y.data()); },
              {"in kernel bad_width", "a shuffle's width must be 1, 2, 4, 8, 16 or 32"});
}

TEST_CASE("bug: warp code without __syncwarp", "[simt]") {
  DeviceArray<float> y(1);
  must_report([&] { launch(bugs::old_warp_code<false>, 1, 32)(y.data()); },
              {"race (shared memory) in kernel old_warp_code<false>, block (0,0,0)", " s + ",
               ", bug_kernels.cuh:", "same warp: no __syncwarp or __syncthreads between them"});
  launch(bugs::old_warp_code<true>, 1, 32)(y.data());  // right, and silent
}

TEST_CASE("bug: a lost update", "[simt]") {
  DeviceArray<float> y(zeros(1));
  must_report([&] { launch(bugs::lost_update, 1, 32)(y.data()); },
              {"race (global memory) in kernel lost_update, block (0,0,0)", mark("lost_update"),
               "same warp: no __syncwarp"});
  must_report(
      [&] { launch(bugs::lost_update, 2, 1)(y.data()); },
      {"race (global memory) in kernel lost_update, block (1,0,0)",
       "thread (0,0,0) of block (0,0,0) wrote it, " + mark("lost_update"), "blocks have no order"});
}

TEST_CASE("bug: a plain store beside an atomic", "[simt]") {
  DeviceArray<int> y(std::vector<int>(1));
  must_report([&] { launch(bugs::mixed_atomic, 1, 2)(y.data()); },
              {"race (global memory) in kernel mixed_atomic", mark("mixed_atomic plain"),
               mark("mixed_atomic atomic"), "(atomically)"});
}

TEST_CASE("bug: the last block reads without a fence", "[simt]") {
  DeviceArray<float> partial(4), total(1);
  must_report(
      [&] {
        DeviceArray<unsigned> done(std::vector<unsigned>(1));
        launch(bugs::last_block_without_fence, 4, 1)(partial.data(), done.data(), total.data());
      },
      {"race (global memory) in kernel last_block_without_fence, block (3,0,0)",
       mark("last_block read"), mark("last_block write"), "blocks have no order"});
}

TEST_CASE("bug: a forgotten wait for cp.async", "[simt]") {
  DeviceArray<float> x(zeros(32)), y(32);
  must_report([&] { launch(bugs::forgotten_wait, 1, 32)(x.data(), y.data()); },
              {"uninitialised memory in kernel forgotten_wait, block (0,0,0)", "reads s + ",
               "which nobody has written, " + mark("forgotten_wait")});
}

TEST_CASE("bug: stack overflow", "[simt]") {
  DeviceArray<float> x(zeros(1)), y(32);
  must_report(
      [&] { launch(bugs::stack_overflow, 1, 32)(x.data(), y.data(), 10000); },
      {"stack overflow (a thread has 60 KB) in kernel stack_overflow, block (0,0,0), thread ("});
  launch(bugs::stack_overflow, 1, 32)(x.data(), y.data(), 10);  // the fibers live on
}

TEST_CASE("bug: a thread spins on another one", "[simt]") {
  DeviceArray<int> flag(1);
  const auto order = simt::options().order;
  simt::options().order = simt::Order::kForward;  // in reverse nobody has to wait
  simt::options().watchdog_seconds = 0.2;
  std::string message = "(no report)";
  REQUIRE(cudaMemset(flag.data(), 0, sizeof(int)) == cudaSuccess);
  try {
    launch(bugs::spinning, 1, 2)(flag.data());
  } catch (const simt::Error& e) {
    message = e.what();
  }
  simt::options().watchdog_seconds = 20;
  simt::options().order = order;
  CHECK(message.find("simt: hang in kernel spinning, block (0,0,0), thread (0,0,0) ran on") == 0);
}

TEST_CASE("bug: asking for what only a device has", "[simt]") {
  must_report([&] { launch(bugs::sleeping, 1, 1)(); },
              {"in kernel sleeping, block (0,0,0), thread (0,0,0): __nanosleep: waiting until"});
}

TEST_CASE("bug: use after free", "[simt]") {
  DeviceArray<float> x(zeros(32));
  float* y = nullptr;
  REQUIRE(cudaMalloc(&y, 32 * sizeof(float)) == cudaSuccess);
  REQUIRE(cudaFree(y) == cudaSuccess);
  must_report([&] { launch(bugs::copy, 1, 32)(x.data(), y); },
              {"out of bounds (global memory) in kernel copy, block (0,0,0)",
               "writes 4 bytes, use after cudaFree of buffer #", mark("copy write")});
  must_report([&] { cudaFree(y); }, {"cudaFree: use after cudaFree of buffer #"});
}

TEST_CASE("bug: launches that CUDA refuses", "[simt]") {
  DeviceArray<float> y(64);
  must_report([&] { launch(bugs::small_dynamic, 1, 64, 65536)(y.data()); }, {},
              "launch of small_dynamic: 65536 bytes of dynamic shared memory: above 48 KB needs "
              "cudaFuncSetAttribute, above 227 KB never fits");
  must_report([&] { launch(bugs::nothing, 1, 2048)(); }, {},
              "launch of nothing: 2048 threads in a block; 1 to 1024 are allowed");
  must_report([&] { launch(bugs::nothing, dim3(1, 70000), 32)(); }, {"at most 2147483647 in x"});
  must_report([&] { launch(bugs::nothing, 0, 32)(); }, {"has no blocks"});
  must_report([&] { launch(bugs::nothing, 1, dim3(1, 1, 128))(); }, {"at most 64 in z"});

  const auto attribute = cudaFuncAttributeMaxDynamicSharedMemorySize;
  REQUIRE(cudaFuncSetAttribute(bugs::small_dynamic, attribute, 65536) == cudaSuccess);
  launch(bugs::small_dynamic, 1, 64, 65536)(y.data());
  must_report([&] { cudaFuncSetAttribute(bugs::small_dynamic, attribute, 300000); },
              {"227 KB is the most"});
}

TEST_CASE("bug: copies outside of a buffer", "[simt]") {
  DeviceArray<float> y(10);
  std::vector<float> host(100);
  must_report([&] { cudaMemcpy(host.data(), y.data(), 44, cudaMemcpyDeviceToHost); },
              {"cudaMemcpy: 44 bytes at offset 0 are not inside buffer #"});
  must_report([&] { cudaMemcpy(host.data(), host.data() + 50, 40, cudaMemcpyDeviceToHost); },
              {"cudaMemcpy: this address is no device memory"});
  must_report([&] { cudaMemcpy(y.data(), host.data(), 40, cudaMemcpyDeviceToHost); },
              {"the destination is device memory, but the kind says host"});
  must_report([&] { cudaMemset(y.data() + 5, 0, 24); }, {"cudaMemset: 24 bytes at offset 20"});
}
