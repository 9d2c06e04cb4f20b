# Arrows point one way: a chapter includes earlier chapters and kernels, a kernel includes kernels.
#
#   cmake -DROOT=<repository> -P tests/layering_test.cmake
cmake_minimum_required(VERSION 3.22)
if(NOT IS_DIRECTORY "${ROOT}/chapters")
  message(FATAL_ERROR "layering: ROOT='${ROOT}' has no chapters/. Give -DROOT=<the repository>.")
endif()

file(GLOB_RECURSE sources RELATIVE ${ROOT} ${ROOT}/chapters/*.h ${ROOT}/chapters/*.cpp ${ROOT}/chapters/*.cu
     ${ROOT}/kernels/*.h ${ROOT}/kernels/*.cpp ${ROOT}/kernels/*.cu ${ROOT}/kernels/*.cuh)

list(FILTER sources EXCLUDE REGEX "/exercises/[^/]*/checks\\.cpp$")  # a program of its own, on top of tools/learn

# Look at every quoted include: it starts at the repository's root.
set(bad 0)
set(seen 0)
foreach(source IN LISTS sources)
  file(READ ${ROOT}/${source} text)
  string(REGEX REPLACE "[];[]" " " text "${text}")  # CMake's own list characters
  string(REPLACE "\\" " " text "${text}")
  string(REPLACE "\n" ";" lines "${text}")
  set(number 0)
  foreach(line IN LISTS lines)
    math(EXPR number "${number} + 1")
    if(NOT line MATCHES "^[ \t]*#[ \t]*include[ \t]*[\"<]([^\">]+)[\">]")
      continue()
    endif()
    set(included ${CMAKE_MATCH_1})
    math(EXPR seen "${seen} + 1")
    set(why "")
    if(included MATCHES "\\.\\./" OR included MATCHES "^\\.\\.?/")
      set(why "include by the path from the repository's root")
    elseif(source MATCHES "^kernels/")
      if(included MATCHES "^(chapters|viewer|tools|bench|assets|tests)/")
        set(why "kernels include kernels only")
      endif()
    elseif(included MATCHES "^assets/" AND source MATCHES "/example\\.cpp$")
      # A chapter's example is a program, and may read one of the texts
    elseif(included MATCHES "^(viewer|tools|bench|assets|tests)/")
      set(why "chapters include chapters and kernels only")
    elseif(included MATCHES "^chapters/([0-9][0-9])_([^/]*)/")
      set(to ${CMAKE_MATCH_1})
      set(to_folder ${CMAKE_MATCH_1}_${CMAKE_MATCH_2})
      string(REGEX MATCH "^chapters/(([0-9][0-9])_[^/]*)/" _ ${source})
      if(NOT to_folder STREQUAL CMAKE_MATCH_1 AND NOT to LESS CMAKE_MATCH_2)
        set(why "chapter ${CMAKE_MATCH_2} may include earlier chapters only")
      endif()
    endif()
    if(why)
      message("${source}:${number}: includes ${included}: ${why}")
      math(EXPR bad "${bad} + 1")
    endif()
  endforeach()
endforeach()

list(LENGTH sources count)
if(bad)
  message(FATAL_ERROR "layering: ${bad} of ${seen} includes in ${count} files point the wrong way")
endif()
message("layering: ${seen} includes in ${count} files, all point to earlier chapters")
