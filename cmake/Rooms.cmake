# The rooms of the house: what a chapter, a kernel and every other folder are to the build. Sources are globbed, so a new
# file needs no list; an empty folder is a target without sources.

set_property(GLOBAL PROPERTY TPP_CHAPTERS "")

# A library tpp_<name> (tpp::<name>) from the given sources, ours by flags and warnings. Without sources: headers only.
function(tpp_library name)
  if(ARGN)
    add_library(tpp_${name} STATIC ${ARGN})
    target_link_libraries(tpp_${name} PUBLIC tpp::options PRIVATE tpp::warnings)
  else()
    add_library(tpp_${name} INTERFACE)
    target_link_libraries(tpp_${name} INTERFACE tpp::options)
  endif()
  add_library(tpp::${name} ALIAS tpp_${name})
endfunction()

# Link for users too, whether the library has sources or not.
function(tpp_link name)
  get_target_property(type tpp_${name} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    target_link_libraries(tpp_${name} INTERFACE ${ARGN})
  else()
    target_link_libraries(tpp_${name} PUBLIC ${ARGN})
  endif()
endfunction()

# tpp_add_chapter(12_rmsnorm NEEDS 01_tensor 02_tape [SOURCES a.cpp …])
#
# The library tpp::12_rmsnorm from the folder's *.cpp (or SOURCES). A chapter may need earlier chapters only.
function(tpp_add_chapter name)
  cmake_parse_arguments(PARSE_ARGV 1 chapter "" "" "SOURCES;NEEDS")
  if(chapter_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tpp_add_chapter(${name}): what is '${chapter_UNPARSED_ARGUMENTS}'? Known: SOURCES, NEEDS.")
  endif()
  if(NOT name MATCHES "^([0-9][0-9])_[a-z0-9_]+$")
    message(FATAL_ERROR "tpp_add_chapter(${name}): a chapter is named by two digits and a word, like 12_rmsnorm.")
  endif()
  set(number ${CMAKE_MATCH_1})
  if(NOT chapter_SOURCES)
    file(GLOB chapter_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    list(FILTER chapter_SOURCES EXCLUDE REGEX "/example\\.cpp$")  # a program: chapters/CMakeLists.txt
  endif()

  set(compiled ${CMAKE_CURRENT_SOURCE_DIR}/compiled.a)  # a handout has the chapters compiled
  if(EXISTS ${compiled})
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/nothing.cpp "// The chapter is in compiled.a.\n")
    tpp_library(${name} ${CMAKE_CURRENT_BINARY_DIR}/nothing.cpp)
    tpp_link(${name} ${compiled})
  else()
    tpp_library(${name} ${chapter_SOURCES})
  endif()
  tpp_link(${name} Eigen3::Eigen)
  foreach(needed IN LISTS chapter_NEEDS)
    string(SUBSTRING ${needed} 0 2 needed_number)
    if(NOT needed_number LESS number)
      message(FATAL_ERROR "Chapter ${name} needs ${needed}, which is not an earlier chapter.")
    endif()
    if(NOT TARGET tpp_${needed})
      message(FATAL_ERROR "Chapter ${name} needs ${needed}, but there is no chapters/${needed}/CMakeLists.txt.")
    endif()
    tpp_link(${name} tpp::${needed})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY TPP_CHAPTERS tpp::${name})
endfunction()

# tpp_add_kernel(rmsnorm [SOURCES rmsnorm.cu …] [NEEDS matmul …])
#
# A kernel's twin: pointers and sizes in, no Eigen; the C++ compiler makes it against kernels/simt, the CUDA language on
# a CPU. Two libraries: tpp::kernel_rmsnorm (fast) and tpp::kernel_rmsnorm_checked (every access is judged); they are
# built only where something links them. Kernels may use kernels/ only. nvcc compiles the same sources in kernels/gpu.
function(tpp_add_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 kernel "" "" "SOURCES;NEEDS")
  if(NOT kernel_SOURCES)
    file(GLOB kernel_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cu ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  endif()
  if(NOT kernel_SOURCES)
    message(STATUS "Kernel ${name} is left out: kernels/${name} has no .cu yet")
    return()
  endif()
  if(NOT name STREQUAL "common")
    list(APPEND kernel_NEEDS common)
  endif()
  foreach(variant "" _checked)
    add_library(tpp_kernel_${name}${variant} STATIC EXCLUDE_FROM_ALL ${kernel_SOURCES})
    add_library(tpp::kernel_${name}${variant} ALIAS tpp_kernel_${name}${variant})
    tpp_compile_kernels(tpp_kernel_${name}${variant} ${variant})
    foreach(needed IN LISTS kernel_NEEDS)
      target_link_libraries(tpp_kernel_${name}${variant} PUBLIC tpp_kernel_${needed}${variant})
    endforeach()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY TPP_KERNELS ${name})
endfunction()

# Compile a target's .cu files for the emulator. With _checked the compiler calls a hook at every load and store; the
# sanitizers' own runtimes are not linked, kernels/simt defines the hooks. Call it in the folder of the sources.
function(tpp_compile_kernels target)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    if(source MATCHES "\\.cu$")
      set_source_files_properties(${source} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++")
    endif()
  endforeach()
  target_link_libraries(${target} PUBLIC tpp::simt PRIVATE tpp::warnings)
  # "#pragma unroll" is for nvcc: g++ does not know it, clang may not manage
  target_compile_options(${target} PRIVATE -Wno-unknown-pragmas $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>)
  if("${ARGN}" STREQUAL "_checked")
    set(bounds bounds)
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      set(bounds array-bounds)  # the other half of clang's `bounds` ends the program without a word
    endif()
    target_compile_options(${target} PRIVATE -O1 -gdwarf-4 -fsanitize=thread,${bounds} -fstack-clash-protection
                                             -Wframe-larger-than=32768)
  endif()
endfunction()

# tpp_add_room(assets): the library tpp::assets from assets/*.cpp, on top of the chapters.
function(tpp_add_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.cpp)
  tpp_library(${name} ${sources})
  tpp_link(${name} tpp::chapters)
endfunction()

# What was decided, in a few lines.
function(tpp_print_summary)
  get_property(chapters GLOBAL PROPERTY TPP_CHAPTERS)
  list(LENGTH chapters count)
  get_property(viewer GLOBAL PROPERTY TPP_VIEWER_STATE)
  get_property(origins GLOBAL PROPERTY TPP_ORIGINS)
  message(STATUS "Transformer++: ${count} chapters, ${CMAKE_BUILD_TYPE}, ${TPP_ISA}, viewer ${viewer}")
  foreach(origin IN LISTS origins)
    message(STATUS "  ${origin}")
  endforeach()
endfunction()
