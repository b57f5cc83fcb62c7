# The Rust crates, as one static library behind its C header (core/tokenizer/ffi/automodel_tokenizer.h).
find_program(CARGO cargo HINTS $ENV{HOME}/.cargo/bin REQUIRED)
set(ffi_dir ${CMAKE_SOURCE_DIR}/core/tokenizer/ffi)
set(ffi_target_dir ${AUTOMODEL_DEPS}/cargo)
set(ffi_archive ${ffi_target_dir}/release/libautomodel_tokenizer.a)
file(GLOB_RECURSE ffi_sources CONFIGURE_DEPENDS ${ffi_dir}/src/*.rs ${ffi_dir}/jinja2/src/*.rs)
list(APPEND ffi_sources ${ffi_dir}/Cargo.toml ${ffi_dir}/Cargo.lock ${ffi_dir}/jinja2/Cargo.toml)
add_custom_command(
  OUTPUT ${ffi_archive}
  COMMAND ${CARGO} build --release --locked --quiet --manifest-path ${ffi_dir}/Cargo.toml --target-dir ${ffi_target_dir}
  DEPENDS ${ffi_sources}
  COMMENT "Building the tokenizer crates"
  VERBATIM)
add_custom_target(automodel_tokenizer_crate DEPENDS ${ffi_archive})

# Links the crate into a target. A dependency of the link step alone: C++ compiles while cargo builds.
function(link_tokenizer_crate target)
  target_link_libraries(${target} PRIVATE ${ffi_archive})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${ffi_archive})
endfunction()
