# Corpus files through their parsers, in every build; the fuzzing programs with the preset "fuzz".
add_library(fuzz_targets STATIC ${CMAKE_CURRENT_LIST_DIR}/targets.cpp ${CMAKE_CURRENT_LIST_DIR}/text_parsers.cpp
  ${CMAKE_CURRENT_LIST_DIR}/file_parsers.cpp)
target_link_libraries(fuzz_targets PUBLIC automodel_core)
add_executable(fuzz_replay ${CMAKE_CURRENT_LIST_DIR}/replay.cpp)
target_link_libraries(fuzz_replay PRIVATE fuzz_targets)
add_test(NAME fuzz.replay COMMAND fuzz_replay ${CMAKE_CURRENT_LIST_DIR}/corpus)
set_tests_properties(fuzz.replay PROPERTIES LABELS unit TIMEOUT 120)

if(AUTOMODEL_FUZZ)
  foreach(target yaml recipe json model_config family chat_template safetensors tokenizer json_rows csv_rows nanogpt)
    add_executable(fuzz_${target} ${CMAKE_CURRENT_LIST_DIR}/driver.cpp)
    target_compile_definitions(fuzz_${target} PRIVATE AUTOMODEL_FUZZ_TARGET="${target}")
    target_link_libraries(fuzz_${target} PRIVATE fuzz_targets)
    target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
    list(APPEND fuzz_programs fuzz_${target})
  endforeach()
  add_custom_target(fuzz_programs DEPENDS ${fuzz_programs})
endif()
