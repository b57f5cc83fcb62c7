# Rules of the tree. Each script prints every breach; texts.py asks the built program too.
foreach(rule includes headers format folders links words modules texts)
  add_test(NAME lint.${rule} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${rule}.py)
  set_tests_properties(lint.${rule} PROPERTIES
    LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 120
    ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;PYTHONDONTWRITEBYTECODE=1")
endforeach()

# clang-tidy over what the last commit changed; over every source it takes an hour on two cores: ctest -C Full -L full.
add_test(NAME lint.tidy COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/tidy.py)
add_test(NAME lint.tidy_full CONFIGURATIONS Full COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/tidy.py --all)
set_tests_properties(lint.tidy lint.tidy_full PROPERTIES
  LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 600
  ENVIRONMENT "AUTOMODEL_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
set_tests_properties(lint.tidy_full PROPERTIES LABELS "lint;full" TIMEOUT 14400)
