# Libraries that others wrote: the system's package where there is one, else a pinned source with its hash.
#
#   DEPS=AUTO     the system's, else pinned sources (the default)
#   DEPS=SYSTEM   the system's, or the build says what is missing
#   DEPS=PINNED   pinned sources, downloaded while configuring
#   FETCHCONTENT_SOURCE_DIR_<NAME>=/some/folder   this source, without a download (offline work)
include(FetchContent)
find_package(PkgConfig QUIET)

set(DEPS AUTO CACHE STRING "Where libraries come from: AUTO, SYSTEM or PINNED")
set_property(CACHE DEPS PROPERTY STRINGS AUTO SYSTEM PINNED)
set_property(GLOBAL PROPERTY TPP_ORIGINS "")

function(tpp_origin name text)
  set_property(GLOBAL APPEND PROPERTY TPP_ORIGINS "${name}: ${text}")
endfunction()

find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(nlohmann_json 3.10 REQUIRED)
if(TPP_TESTS)
  find_package(Catch2 3 QUIET)
  if(NOT Catch2_FOUND)
    find_package(Catch2 2.13 REQUIRED)
  endif()
endif()
find_package(CLI11 QUIET)

# The viewer's libraries.
if(NOT TPP_VIEWER STREQUAL "OFF")
  pkg_check_modules(IMGUI QUIET IMPORTED_TARGET imgui)
  find_path(STB_INCLUDE_DIR stb_image_write.h PATH_SUFFIXES stb)
  find_package(glfw3 3.3 QUIET)
  find_package(OpenGL QUIET COMPONENTS OpenGL)
  if(IMGUI_FOUND AND STB_INCLUDE_DIR AND glfw3_FOUND AND OpenGL_FOUND)
    add_library(tpp_imgui INTERFACE)
    add_library(tpp::imgui ALIAS tpp_imgui)
    target_link_libraries(tpp_imgui INTERFACE PkgConfig::IMGUI ${CMAKE_DL_LIBS})
    add_library(tpp_stb INTERFACE)
    add_library(tpp::stb ALIAS tpp_stb)
    target_include_directories(tpp_stb SYSTEM INTERFACE ${STB_INCLUDE_DIR})
  elseif(TPP_VIEWER STREQUAL "ON")
    message(FATAL_ERROR "The viewer needs Dear ImGui, GLFW, OpenGL and stb.")
  endif()
endif()
