// main() of the twins' tests on a GPU: without a device they are skipped, and say so, never passed.
#define CATCH_CONFIG_RUNNER
#include <cstring>
#include <iostream>

#include "kernels/common/runtime.h"
#include "tests/testing.h"

int main(int argc, char** argv) {
  bool lists = false;  // the build asks for the names, on machines without a device too
  for (int i = 1; i < argc; ++i) lists = lists || std::strncmp(argv[i], "--list", 6) == 0;
  if (!lists) {
    try {
      const tpp::twin::DeviceInfo device = tpp::twin::device_info();
      std::cout << device.name << ", sm_" << device.capability << "\n";
    } catch (const std::exception& e) {
      std::cout << "SKIPPED: no CUDA device: " << e.what() << "\n";
      return 4;
    }
  }
  return Catch::Session().run(argc, argv);
}
