# How everything of ours is compiled: tpp::options (the same flags everywhere, because Eigen's types change their
# alignment with the instruction set) and tpp::warnings (strict, our own sources only).
include(CheckCXXCompilerFlag)

add_library(tpp_options INTERFACE)
add_library(tpp::options ALIAS tpp_options)
target_compile_features(tpp_options INTERFACE cxx_std_20)
target_include_directories(tpp_options INTERFACE ${PROJECT_SOURCE_DIR})

# Threads come from the model's trainer: one chunk of sequences each. Eigen itself stays single-threaded, and keeps its
# packing buffers (up to 2 MB) on the stack, so a training step needs no heap.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
target_link_libraries(tpp_options INTERFACE Threads::Threads)
target_compile_definitions(tpp_options INTERFACE EIGEN_DONT_PARALLELIZE
                                                 EIGEN_STACK_ALLOCATION_LIMIT=2097152)

# No fast-math: a NaN must stay a NaN. Release is -O3 without debug information.
target_compile_options(tpp_options INTERFACE $<$<CONFIG:Release>:-O3> $<$<CONFIG:Release>:-g0>)

# Choose the instruction set of this machine. Without one, a compiler for x86-64 assumes a machine of 2003 and products run
# 2.7 times slower. Where AVX-512 works at full width a training step is 1.6 times as fast as with AVX2 (Zen 5), and
# nowhere that we measured slower. With AVX2, -mtune=skylake, because tuning for Zen (g++ 12) or for nothing (clang 14)
# costs 20 to 50 % of a product's speed. TPP_PORTABLE=ON builds for any machine with AVX2.
set(TPP_ISA "compiler's default")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(tpp_cpu "avx2 fma")  # what we assume where the system does not say
  if(EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo tpp_cpu REGEX "^flags" LIMIT_COUNT 1)
  endif()
  if(TPP_NATIVE)
    set(tpp_march -march=native)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      list(APPEND tpp_march -mtune=generic)
    endif()
  elseif(NOT TPP_PORTABLE AND tpp_cpu MATCHES "avx512f" AND tpp_cpu MATCHES "avx512bw" AND tpp_cpu MATCHES "avx512cd"
         AND tpp_cpu MATCHES "avx512dq" AND tpp_cpu MATCHES "avx512vl")
    set(tpp_march -march=x86-64-v4 -mtune=generic)
  elseif(tpp_cpu MATCHES "avx2" AND tpp_cpu MATCHES "fma")
    set(tpp_march -march=x86-64-v3 -mtune=skylake)
  elseif(tpp_cpu MATCHES "sse4_2")
    set(tpp_march -march=x86-64-v2)
    message(WARNING "This machine has no AVX2 and FMA: training will be several times slower.")
  else()
    set(tpp_march "")
    message(WARNING "This machine has neither AVX2 nor SSE4.2: training will be very slow.")
  endif()
  string(REPLACE ";" " " tpp_march_text "${tpp_march}")
  if(tpp_march)
    string(MAKE_C_IDENTIFIER "TPP_HAS${tpp_march_text}" tpp_has)
    check_cxx_compiler_flag("${tpp_march_text}" ${tpp_has})
    if(${tpp_has})
      target_compile_options(tpp_options INTERFACE ${tpp_march})
      set(TPP_ISA "${tpp_march_text}")
    else()
      message(WARNING "${CMAKE_CXX_COMPILER} does not know ${tpp_march_text}: training will be slow. "
                      "g++ 11 or clang 12 would do.")
    endif()
  endif()
elseif(TPP_NATIVE)
  target_compile_options(tpp_options INTERFACE -mcpu=native)
  set(TPP_ISA "-mcpu=native")
endif()

if(TPP_SANITIZE)
  target_compile_options(tpp_options INTERFACE -fsanitize=${TPP_SANITIZE} -fno-sanitize-recover=all
                                               -fno-omit-frame-pointer -g1)
  target_link_options(tpp_options INTERFACE -fsanitize=${TPP_SANITIZE})
endif()

# Fuzz targets steer by what they reach: clang's libFuzzer counts it.
set(TPP_LIBFUZZER FALSE)
if(TPP_FUZZ AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(TPP_LIBFUZZER TRUE)
  target_compile_options(tpp_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tpp_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Where ccache is installed, it saves the second compilation.
find_program(TPP_CCACHE ccache)
if(TPP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TPP_CCACHE})
endif()

add_library(tpp_warnings INTERFACE)
add_library(tpp::warnings ALIAS tpp_warnings)
target_compile_options(tpp_warnings INTERFACE -Wall -Wextra -Wconversion -Wno-sign-conversion
                                              $<$<BOOL:${TPP_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 and 13 see overlapping copies in `"text" + std::string` where there are none (GCC bug 105651).
  target_compile_options(tpp_warnings INTERFACE -Wno-restrict)
  # g++ 12's own AVX-512 headers start a variable from itself, and warn about it (GCC bug 105593).
  if(TPP_ISA MATCHES "native|v4" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(tpp_warnings INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
endif()
