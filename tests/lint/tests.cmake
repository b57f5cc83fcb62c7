# Rules of the tree. Each script prints every breach; texts.py asks the built program too.
foreach(rule includes headers format folders links words texts)
  add_test(NAME lint.${rule} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${rule}.py)
  set_tests_properties(lint.${rule} PROPERTIES
    LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 120
    ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;PYTHONDONTWRITEBYTECODE=1")
endforeach()
