# Tokenizers and chat templates against transformers, jinja2 and Python's tokenizers, live.
foreach(script snippets templates hostile vectors corpus auto_tokenizer)
  add_test(NAME tokenizer.${script}
    COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${script}_test.py $<TARGET_FILE:automodel>)
  set_tests_properties(tokenizer.${script} PROPERTIES
    LABELS parity SKIP_RETURN_CODE 77 TIMEOUT 600
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;HF_HUB_OFFLINE=1")
endforeach()
