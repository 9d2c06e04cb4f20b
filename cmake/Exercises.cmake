# Exercises: each folder chapters/NN_name/exercises/<name>/ with an exercise.toml is a check program, built ahead with the
# skeleton in the student's place. tpp-learn compiles the student's file by the same command (compile_commands.json),
# links it by the same command (record_link.sh wrote it down) and runs it.

include(CheckCXXSourceCompiles)

# tpp_add_exercises(): all that there are. exercise.toml's `links` says which chapters' or kernels' code the check program
# calls: links = ["05_softmax", "kernel_softmax"]. 01_tensor is always there.
function(tpp_add_exercises)
  add_library(tpp_learn_check STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tools/learn/check.cpp)
  target_link_libraries(tpp_learn_check PRIVATE tpp::options tpp::warnings ${CMAKE_DL_LIBS})
  # check.cpp stands in the way of every exception: in place of a shared library's function, or wrapped around a static one's
  check_cxx_source_compiles("#include <vector>
extern \"C\" void __cxa_throw(void*, void*, void (*)(void*)) { __builtin_trap(); }
int main(int n, char**) { try { return std::vector<int>().at(unsigned(n)); } catch (const std::exception&) { return 1; } }"
                            TPP_LIBSTDCXX_IS_SHARED)
  if(NOT TPP_LIBSTDCXX_IS_SHARED)
    target_compile_definitions(tpp_learn_check PRIVATE TPP_LEARN_WRAP=1)
    target_link_options(tpp_learn_check INTERFACE -Wl,--wrap=__cxa_throw)
  endif()

  # What every exercise of this kind includes, compiled once
  add_library(tpp_learn_headers OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tools/learn/headers.cpp)
  tpp_exercise_flags(tpp_learn_headers)
  target_precompile_headers(tpp_learn_headers PRIVATE ${PROJECT_SOURCE_DIR}/tools/learn/headers.h)

  # One kind of GPU compiles fastest: this machine's, or the first that was asked for
  if(TPP_CUDA)
    execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader OUTPUT_VARIABLE capability ERROR_QUIET)
    if(capability MATCHES "^([0-9]+)\\.([0-9]+)")
      set(tpp_exercise_gpu ${CMAKE_MATCH_1}${CMAKE_MATCH_2}-real)
    else()
      list(GET CMAKE_CUDA_ARCHITECTURES 0 tpp_exercise_gpu)
    endif()
  endif()

  file(GLOB folders CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/chapters/*/exercises/*/exercise.toml)
  foreach(toml IN LISTS folders)
    get_filename_component(folder ${toml} DIRECTORY)
    tpp_add_exercise(${folder})
  endforeach()

  # tests/learn/<name>.sh drives the program as a student would
  if(TPP_TESTS AND NOT TPP_SANITIZE)
    file(GLOB scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/learn/*.sh)
    foreach(script IN LISTS scripts)
      get_filename_component(name ${script} NAME_WE)
      add_test(NAME "learn: ${name}" COMMAND bash ${script})
      set_tests_properties("learn: ${name}" PROPERTIES ENVIRONMENT
                           "TPP_LEARN=$<TARGET_FILE:tpp-learn>;TPP=$<TARGET_FILE_DIR:tpp-learn>/tpp" TIMEOUT 600)
    endforeach()
  endif()
endfunction()

# The flags of students' files, after all others: quick to compile, and warnings do not stop anybody. Eigen's assertions
# are on: they become errors with a sentence (tools/learn/headers.h).
add_library(tpp_exercise_options INTERFACE)
# Lines, so that a crash can say where; and the standard library's own checks (tools/learn/check.cpp hears them).
check_cxx_source_compiles("#define _GLIBCXX_ASSERTIONS
#include <vector>
int main() { return &std::__glibcxx_assert_fail == nullptr; }" TPP_HAS_LIBRARY_CHECKS)  # g++ 12 or newer
if(TPP_HAS_LIBRARY_CHECKS)
  target_compile_definitions(tpp_exercise_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()
target_compile_options(tpp_exercise_options INTERFACE -O1 -g1 -UNDEBUG -Wno-error -Wno-misleading-indentation -Wno-unused-parameter -Wno-unused-function
                       -Wno-unused-variable -Wno-unused-but-set-variable -Wno-uninitialized -Wno-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tpp_exercise_options INTERFACE -Wno-maybe-uninitialized)
endif()

function(tpp_exercise_flags target)
  target_link_libraries(${target} PRIVATE tpp::options Eigen3::Eigen tpp::warnings tpp_exercise_options)
endfunction()

# The same checks by nvcc, for --gpu. Built when asked for, for this machine's GPU.
function(tpp_add_gpu_exercise target out)
  add_executable(${target} EXCLUDE_FROM_ALL ${out}/checks.cu ${out}/student.cu)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME check RUNTIME_OUTPUT_DIRECTORY ${out}
                        CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_ARCHITECTURES "${tpp_exercise_gpu}"
                        RULE_LAUNCH_LINK "${PROJECT_SOURCE_DIR}/tools/learn/record_link.sh ${out}/link")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE TPP_FLOAT_ONLY)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-lineinfo -w>)
  target_link_libraries(${target} PRIVATE tpp_learn_check CUDA::cudart_static)
endfunction()

function(tpp_add_exercise folder)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/exercise.toml)
  file(READ ${folder}/exercise.toml toml)
  if(NOT toml MATCHES "(^|\n)id *= *\"([0-9]+\\.[0-9]+)\"")
    message(FATAL_ERROR "${folder}/exercise.toml: there is no line  id = \"13.1\"")
  endif()
  set(id ${CMAKE_MATCH_2})
  set(cuda FALSE)
  if(toml MATCHES "\nkind *= *\"cuda\"")
    set(cuda TRUE)
  endif()
  set(links 01_tensor)
  if(toml MATCHES "\nlinks *= *\\[([^]]*)\\]")
    string(REGEX MATCHALL "[A-Za-z0-9_]+" more "${CMAKE_MATCH_1}")
    list(APPEND links ${more})
  endif()
  if(cuda AND TPP_SANITIZE)
    return()  # the emulator's own sanitizer hooks do not mix with others
  endif()

  # Generate what the programs are made of
  set(out ${PROJECT_BINARY_DIR}/learn/${id})
  get_filename_component(name ${folder} NAME)
  file(GLOB inputs CONFIGURE_DEPENDS ${folder}/*)
  set(answers ${folder}/answers.a)  # a book without answers has them compiled
  if(EXISTS ${answers})
    set(generated ${out}/student.cpp)
  else()
    set(generated ${out}/variants.cpp ${out}/student.cpp)
  endif()
  set(generated_gpu)
  if(cuda)
    set(generated_gpu ${out}/gpu/student.cu ${out}/gpu/checks.cu)
  endif()
  add_custom_command(OUTPUT ${generated} ${generated_gpu} VERBATIM
                     COMMAND tpp-learn-generate ${folder} ${out}
                     DEPENDS tpp-learn-generate ${inputs}
                     COMMENT "Exercise ${id}: ${name}")

  string(REPLACE "." "_" target exercise_${id})
  add_executable(${target} ${folder}/checks.cpp ${out}/student.cpp)
  if(NOT EXISTS ${answers})
    set(answers answers_${target})
    add_library(${answers} STATIC EXCLUDE_FROM_ALL ${out}/variants.cpp)
    set_target_properties(${answers} PROPERTIES OUTPUT_NAME answers ARCHIVE_OUTPUT_DIRECTORY ${out})
    add_dependencies(${target} ${answers})
  endif()
  set_target_properties(${target} PROPERTIES OUTPUT_NAME check RUNTIME_OUTPUT_DIRECTORY ${out}
                        RULE_LAUNCH_LINK "${PROJECT_SOURCE_DIR}/tools/learn/record_link.sh ${out}/link")
  if(NOT TPP_TESTS)
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL TRUE)
  endif()
  if(cuda AND TPP_CUDA)
    tpp_add_gpu_exercise(${target}_gpu ${out}/gpu)
  endif()
  # Both are compiled in the same way; the program's runtime calls the answers, and they call the book
  target_link_libraries(${target} PRIVATE tpp_learn_check ${answers})
  foreach(part ${target} ${answers})
    if(NOT TARGET ${part})
      continue()
    endif()
    if(cuda)
      tpp_compile_kernels(${part} _checked)
      target_link_libraries(${part} PRIVATE tpp_kernel_common_checked tpp_exercise_options)
    else()
      tpp_exercise_flags(${part})
      target_precompile_headers(${part} REUSE_FROM tpp_learn_headers)
      foreach(link IN LISTS links)
        target_link_libraries(${part} PRIVATE tpp::${link})
      endforeach()
    endif()
  endforeach()

  if(TPP_TESTS)
    set(test "exercise ${id}: ${name}")
    add_test(NAME "${test}: reference, wrong answers" COMMAND ${target} --self-test)
    add_test(NAME "${test}: skeleton" COMMAND ${target})
    set_tests_properties("${test}: skeleton" PROPERTIES PASS_REGULAR_EXPRESSION "\"verdict\":\"not written yet\"")
    set_tests_properties("${test}: reference, wrong answers" "${test}: skeleton" PROPERTIES TIMEOUT 120)
    if(NOT TPP_SANITIZE)  # a student's code runs under limits of memory, which a sanitizer's shadow exceeds
      add_test(NAME "${test}: canary" COMMAND tpp-learn canary ${id})
      set_tests_properties("${test}: canary" PROPERTIES ENVIRONMENT "TPP_LEARN_BUILT=1" TIMEOUT 120)
    endif()
  endif()
endfunction()
