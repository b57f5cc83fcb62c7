# Compiles the text files of share/ and templates/ into the program: core/base/embedded.h reads them back.
function(embed_texts out_sources)
  file(GLOB_RECURSE texts CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} share/*.yaml templates/*)
  list(FILTER texts EXCLUDE REGEX "README.md$")
  set(generated ${CMAKE_BINARY_DIR}/embedded_texts.cpp)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_SOURCE_DIR}/cmake/embed.py ${CMAKE_SOURCE_DIR} ${generated} ${texts}
    DEPENDS ${texts} cmake/embed.py
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMENT "Embedding share/ and templates/"
    VERBATIM)
  set(${out_sources} ${generated} PARENT_SCOPE)
endfunction()
