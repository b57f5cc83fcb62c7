# The one Rust crate, as a static library behind its C header (core/tokenizer/ffi/automodel_tokenizer.h).
find_program(CARGO cargo HINTS $ENV{HOME}/.cargo/bin REQUIRED)
set(ffi_dir ${CMAKE_SOURCE_DIR}/core/tokenizer/ffi)
set(ffi_target_dir ${AUTOMODEL_DEPS}/cargo)
set(ffi_archive ${ffi_target_dir}/release/libautomodel_tokenizer.a)
file(GLOB ffi_sources CONFIGURE_DEPENDS ${ffi_dir}/src/*.rs ${ffi_dir}/Cargo.toml ${ffi_dir}/Cargo.lock)
add_custom_command(
  OUTPUT ${ffi_archive}
  COMMAND ${CARGO} build --release --locked --quiet --manifest-path ${ffi_dir}/Cargo.toml --target-dir ${ffi_target_dir}
  DEPENDS ${ffi_sources}
  COMMENT "Building the tokenizer crate"
  VERBATIM)
add_custom_target(automodel_tokenizer_crate DEPENDS ${ffi_archive})
add_library(automodel_tokenizer_ffi STATIC IMPORTED)
set_target_properties(automodel_tokenizer_ffi PROPERTIES IMPORTED_LOCATION ${ffi_archive})
add_dependencies(automodel_tokenizer_ffi automodel_tokenizer_crate)
