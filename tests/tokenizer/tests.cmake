# Tokenizers and chat templates against transformers, jinja2 and Python's tokenizers, live.
add_executable(show_rows ${CMAKE_CURRENT_LIST_DIR}/show_rows.cpp)
target_link_libraries(show_rows PRIVATE automodel_core)
foreach(script snippets templates hostile vectors corpus auto_tokenizer masks rows plain_text)
  add_test(NAME tokenizer.${script}
    COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${script}_test.py $<TARGET_FILE:automodel> $<TARGET_FILE:show_rows>)
  set_tests_properties(tokenizer.${script} PROPERTIES
    LABELS parity SKIP_RETURN_CODE 77 TIMEOUT 600
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;HF_HUB_OFFLINE=1")
endforeach()
