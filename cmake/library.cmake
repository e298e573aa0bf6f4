include(GoogleTest)

# Only headers of other projects: g++ knows a file under #pragma once again by its bytes, so that a
# header of ours, precompiled before a comment in it changed, would be taken in twice.
option(MANMAN_PCH "Parse the headers that most files of a library include once for all of them" ON)

function(manman_precompile target)
  if(MANMAN_PCH)
    target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <filesystem> <functional> <map>
                              <memory> <string> <thread> <vector> ${ARGN})
  endif()
endfunction()

# manman_library(NAME DEPS... [PRECOMPILE HEADERS...]): the static library of src/NAME (all its
# sources but tests) and, where there are *_test.cc files, its unit test binary NAME_test. The
# folder's place in the layering is checked by tests/lint/test_include_table.py.
function(manman_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" PRECOMPILE)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC ${arg_UNPARSED_ARGUMENTS})
  manman_precompile(${name} ${arg_PRECOMPILE})
  if(tests AND NOT MANMAN_FUZZ)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} GTest::gtest_main GTest::gmock)
    if(NOT MANMAN_SANITIZE)
      target_compile_options(${name}_test PRIVATE -O0)  # its own code is run once
    endif()
    manman_precompile(${name}_test <gtest/gtest.h> ${arg_PRECOMPILE})
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()

# For source files in which g++ 12 sees std::string copies out of bounds where there are none (GCC
# bug 105651).
function(manman_no_false_bounds)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS
                                "-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-restrict")
  endif()
endfunction()
