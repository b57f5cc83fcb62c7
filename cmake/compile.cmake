# How every target is compiled.
add_library(automodel_warnings INTERFACE)
target_compile_definitions(automodel_warnings INTERFACE $<$<CONFIG:Debug>:AUTOMODEL_DEBUG_BUILD>)
target_compile_options(automodel_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(automodel_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlapping copies inside std::string where there are none (its bug 105651).
  target_compile_options(automodel_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # sloppiness: precompiled headers are compared by content of what they include, not by time.
  set(launcher ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${launcher})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()

find_program(MOLD mold)
if(MOLD)
  # Before version 2 mold may begin RELRO inside the page before its segment, when a one-byte thread-local variable stands
  # first; the loader then refuses the file ("cannot apply additional memory protection after relocation").
  execute_process(COMMAND ${MOLD} --version OUTPUT_VARIABLE mold_version)
  add_link_options(-fuse-ld=mold)
  if(mold_version MATCHES "^mold 1\\.")
    add_link_options(-Wl,-z,norelro)
  endif()
endif()

option(AUTOMODEL_FUZZ "libFuzzer programs of tests/fuzz, with sanitizers (clang)" OFF)
if(AUTOMODEL_FUZZ)
  # Clang's sanitizers lie in the programs, so that a library has undefined symbols.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
else()
  add_link_options(-Wl,--no-undefined)
endif()

option(AUTOMODEL_SANITIZE "address and undefined-behaviour sanitizers" OFF)
if(AUTOMODEL_SANITIZE)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined>
                      $<$<COMPILE_LANGUAGE:CXX>:-fno-omit-frame-pointer>)
  add_link_options(-fsanitize=address,undefined)
endif()

option(AUTOMODEL_SANITIZE_THREADS "thread sanitizer" OFF)
if(AUTOMODEL_SANITIZE_THREADS)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=thread>)
  add_link_options(-fsanitize=thread)
endif()
