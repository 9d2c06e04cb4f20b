# Libraries that others wrote: the system's package where there is one, else a pinned source with its hash.
#
#   DEPS=AUTO     the system's, else pinned sources (the default)
#   DEPS=SYSTEM   the system's, or configuring says which package is missing
#   DEPS=PINNED   pinned sources, downloaded while configuring
#   FETCHCONTENT_SOURCE_DIR_<NAME>=/some/folder   this source, without a download (offline work)
include(FetchContent)
find_package(PkgConfig QUIET)
if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)
endif()

set(DEPS AUTO CACHE STRING "Where libraries come from: AUTO, SYSTEM or PINNED")
set_property(CACHE DEPS PROPERTY STRINGS AUTO SYSTEM PINNED)
if(NOT DEPS MATCHES "^(AUTO|SYSTEM|PINNED)$")
  message(FATAL_ERROR "DEPS=${DEPS}: say AUTO, SYSTEM or PINNED.")
endif()
if(NOT TPP_VIEWER MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "TPP_VIEWER=${TPP_VIEWER}: say AUTO, ON or OFF.")
endif()
set_property(GLOBAL PROPERTY TPP_ORIGINS "")

# Note where a library came from, for the summary.
function(tpp_origin name text)
  set_property(GLOBAL APPEND PROPERTY TPP_ORIGINS "${name}: ${text}")
endfunction()

# Should <name> be looked for in the system? <variable> is TRUE unless sources are asked for.
function(tpp_try_system name variable)
  string(TOUPPER ${name} upper)
  if(DEPS STREQUAL "PINNED" OR FETCHCONTENT_SOURCE_DIR_${upper})
    set(${variable} FALSE PARENT_SCOPE)
  else()
    set(${variable} TRUE PARENT_SCOPE)
  endif()
endfunction()

# Unpack a pinned source into <name>_SOURCE_DIR; the build description inside is not run unless BUILD is said.
macro(tpp_pin name package url sha256)
  if(DEPS STREQUAL "SYSTEM")
    message(FATAL_ERROR "${name} is not installed. On Debian or Ubuntu: apt-get install ${package}. "
                        "Or configure with -DDEPS=AUTO, which downloads its source.")
  endif()
  if("${ARGN}" STREQUAL "BUILD")
    FetchContent_Declare(${name} URL ${url} URL_HASH SHA256=${sha256})
  else()
    FetchContent_Declare(${name} URL ${url} URL_HASH SHA256=${sha256} SOURCE_SUBDIR not-built-by-itself)
  endif()
  FetchContent_MakeAvailable(${name})
  tpp_origin(${name} "${${name}_SOURCE_DIR}")
endmacro()

# A header library from a folder. Others' headers are SYSTEM: their warnings are not ours.
function(tpp_header_library target folder)
  string(MAKE_C_IDENTIFIER ${target} name)
  add_library(${name} INTERFACE)
  add_library(${target} ALIAS ${name})
  target_include_directories(${name} SYSTEM INTERFACE ${folder})
endfunction()

# The same for a library that was built from its own description.
function(tpp_make_system target)
  get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
  set_target_properties(${target} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${folders}")
endfunction()

# Hashes: as the Conan Center, Homebrew, Spack and xmake indexes publish them for the same addresses.

# Linear algebra: Eigen 3.4. Its flags are tpp::options, which every target of ours links.
tpp_try_system(eigen system)
if(system)
  find_package(Eigen3 3.4 QUIET NO_MODULE)
endif()
if(TARGET Eigen3::Eigen)
  tpp_origin(eigen "${Eigen3_VERSION}, system")
else()
  tpp_pin(eigen libeigen3-dev https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
          8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
  tpp_header_library(Eigen3::Eigen ${eigen_SOURCE_DIR})
endif()

# JSON: the heads of checkpoints.
tpp_try_system(json system)
if(system)
  find_package(nlohmann_json 3.10 QUIET)
endif()
if(TARGET nlohmann_json::nlohmann_json)
  tpp_origin(json "${nlohmann_json_VERSION}, system")
else()
  tpp_pin(json nlohmann-json3-dev https://github.com/nlohmann/json/archive/v3.11.3.tar.gz
          0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406)
  tpp_header_library(nlohmann_json::nlohmann_json ${json_SOURCE_DIR}/include)
endif()

# The command line: CLI11.
tpp_try_system(cli11 system)
if(system)
  find_package(CLI11 2 QUIET)
endif()
if(TARGET CLI11::CLI11)
  tpp_origin(cli11 "${CLI11_VERSION}, system")
else()
  tpp_pin(cli11 libcli11-dev https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
          f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)
  tpp_header_library(CLI11::CLI11 ${cli11_SOURCE_DIR}/include)
endif()

# Markdown: md4c, in C, one file of it. The book's text, in HTML and in the viewer; TPP_BOOK=OFF does without both.
option(TPP_BOOK "The library of the book's text: the HTML book, and the viewer's reader" ON)
tpp_try_system(md4c system)
if(NOT TPP_BOOK)
  set(MD4C_FOUND FALSE)
elseif(system AND PkgConfig_FOUND)
  pkg_check_modules(MD4C QUIET IMPORTED_TARGET md4c>=0.4.7)
endif()
if(MD4C_FOUND)
  add_library(tpp_md4c INTERFACE)
  target_link_libraries(tpp_md4c INTERFACE PkgConfig::MD4C)
  tpp_origin(md4c "${MD4C_VERSION}, system")
elseif(TPP_BOOK)
  tpp_pin(md4c libmd4c-dev https://github.com/mity/md4c/archive/refs/tags/release-0.4.8.tar.gz
          4a457df853425b6bb6e3457aa1d1a13bccec587a04c38c622b1013a0da41439f)
  add_library(tpp_md4c STATIC ${md4c_SOURCE_DIR}/src/md4c.c)
  target_include_directories(tpp_md4c SYSTEM PUBLIC ${md4c_SOURCE_DIR}/src)
endif()
if(TARGET tpp_md4c)
  add_library(tpp::md4c ALIAS tpp_md4c)
elseif(TPP_VIEWER STREQUAL "ON")
  message(FATAL_ERROR "TPP_VIEWER=ON with TPP_BOOK=OFF: the viewer's reader shows the book.")
else()
  set(TPP_VIEWER OFF)
endif()

# Tests: Catch2, version 3 or 2.13 (tests/testing.h hides the difference).
if(TPP_TESTS)
  tpp_try_system(catch2 system)
  if(system)
    find_package(Catch2 3 QUIET)
    if(NOT Catch2_FOUND)
      find_package(Catch2 2.13 QUIET)
    endif()
  endif()
  if(TARGET Catch2::Catch2WithMain)
    tpp_origin(catch2 "${Catch2_VERSION}, system")
  else()
    tpp_pin(catch2 catch2 https://github.com/catchorg/Catch2/archive/refs/tags/v3.6.0.tar.gz
            485932259a75c7c6b72d4b874242c489ea5155d17efa345eb8cc72159f49f356 BUILD)
    tpp_make_system(Catch2)
    list(APPEND CMAKE_MODULE_PATH ${catch2_SOURCE_DIR}/extras)
    set(Catch2_VERSION 3.6.0)
  endif()
endif()

# The window: Dear ImGui with its GLFW and OpenGL 3 backends, GLFW, OpenGL; PNG files by stb.
# AUTO builds the viewer where the system has GLFW and OpenGL; ON insists, and fetches what is missing.
if(TPP_VIEWER STREQUAL "OFF")
  return()
endif()

tpp_try_system(glfw system)
if(system)
  find_package(glfw3 3.3 QUIET)
endif()
find_package(OpenGL QUIET COMPONENTS OpenGL)
tpp_try_system(imgui system)
if(system AND PkgConfig_FOUND)
  pkg_check_modules(IMGUI QUIET IMPORTED_TARGET imgui>=1.86)
endif()
tpp_try_system(stb system)
if(system)
  find_path(STB_INCLUDE_DIR stb_image_write.h PATH_SUFFIXES stb)
endif()

# Leave the viewer out, saying what is missing.
set(missing "")
if(NOT TARGET OpenGL::GL AND NOT TARGET OpenGL::OpenGL)
  list(APPEND missing "OpenGL (libgl-dev, libopengl-dev)")
endif()
if(TPP_VIEWER STREQUAL "AUTO" AND NOT DEPS STREQUAL "PINNED")
  if(NOT TARGET glfw AND NOT FETCHCONTENT_SOURCE_DIR_GLFW)
    list(APPEND missing "GLFW (libglfw3-dev)")
  endif()
  if(NOT IMGUI_FOUND AND NOT FETCHCONTENT_SOURCE_DIR_IMGUI)
    list(APPEND missing "Dear ImGui (libimgui-dev)")
  endif()
  if(NOT STB_INCLUDE_DIR AND NOT FETCHCONTENT_SOURCE_DIR_STB)
    list(APPEND missing "stb (libstb-dev)")
  endif()
endif()
if(missing)
  string(REPLACE ";" ", " missing "${missing}")
  if(TPP_VIEWER STREQUAL "ON" OR DEPS STREQUAL "SYSTEM")
    message(FATAL_ERROR "The viewer needs ${missing}. Install the packages, or configure with -DTPP_VIEWER=OFF.")
  endif()
  message(STATUS "The viewer is left out: it needs ${missing}.")
  return()
endif()

if(TARGET glfw)
  tpp_origin(glfw "${glfw3_VERSION}, system")
else()
  # X11 only: a Wayland desktop shows it through XWayland, and building needs fewer headers.
  set(GLFW_BUILD_DOCS OFF CACHE BOOL "" FORCE)
  set(GLFW_INSTALL OFF CACHE BOOL "" FORCE)
  set(GLFW_BUILD_WAYLAND OFF CACHE BOOL "" FORCE)
  tpp_pin(glfw libglfw3-dev https://github.com/glfw/glfw/archive/refs/tags/3.4.tar.gz
          c038d34200234d071fae9345bc455e4a8f2f544ab60150765d7704e08f3dac01 BUILD)
  tpp_make_system(glfw)
endif()

if(STB_INCLUDE_DIR)
  tpp_header_library(tpp::stb ${STB_INCLUDE_DIR})
  tpp_origin(stb "system")
else()
  tpp_pin(stb libstb-dev https://github.com/nothings/stb/archive/8b5f1f37b5b75829fc72d38e7b5d4bcbf8a26d55.zip
          93a16ee3e866e719feec459f6f132cce932c5ec751eb38e3ec1975f911353d2e)
  tpp_header_library(tpp::stb ${stb_SOURCE_DIR})
endif()

if(IMGUI_FOUND)
  # The Debian package's imgui.a holds the backends; the headers of the backends lie one folder deeper.
  find_path(IMGUI_BACKENDS_DIR imgui_impl_glfw.h HINTS ${IMGUI_INCLUDE_DIRS} PATH_SUFFIXES backends REQUIRED)
  tpp_header_library(tpp::imgui ${IMGUI_BACKENDS_DIR})
  target_link_libraries(tpp__imgui INTERFACE PkgConfig::IMGUI glfw ${CMAKE_DL_LIBS})
  tpp_origin(imgui "${IMGUI_VERSION}, system")
else()
  tpp_pin(imgui libimgui-dev https://github.com/ocornut/imgui/archive/refs/tags/v1.91.8.tar.gz
          db3a2e02bfd6c269adf0968950573053d002f40bdfb9ef2e4a90bce804b0f286)
  file(GLOB imgui_sources ${imgui_SOURCE_DIR}/*.cpp)
  add_library(tpp__imgui STATIC ${imgui_sources} ${imgui_SOURCE_DIR}/backends/imgui_impl_glfw.cpp
                                ${imgui_SOURCE_DIR}/backends/imgui_impl_opengl3.cpp)
  add_library(tpp::imgui ALIAS tpp__imgui)
  target_include_directories(tpp__imgui SYSTEM PUBLIC ${imgui_SOURCE_DIR} ${imgui_SOURCE_DIR}/backends)
  target_link_libraries(tpp__imgui PUBLIC glfw ${CMAKE_DL_LIBS})
endif()
