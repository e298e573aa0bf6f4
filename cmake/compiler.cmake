# Warnings, sanitizers and ccache; one place for all targets.
set(MANMAN_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, e.g. address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  # Objects are found again by another checkout of the same sources. Each is known by the bytes of
  # every file that went into it (depend mode): a precompiled header is one only of the same bytes.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
if(MANMAN_WERROR)
  add_compile_options(-Werror)
endif()
# Line tables are enough for a readable stack; full debug info slows every build and link.
add_compile_options(-g1 -fno-omit-frame-pointer)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O1")

if(MANMAN_SANITIZE)
  add_compile_options(-fsanitize=${MANMAN_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MANMAN_SANITIZE})
  # GCC finds uninitialized variables where there are none once the sanitizers' calls stand between.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()
