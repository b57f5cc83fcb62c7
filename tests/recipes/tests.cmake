# The reference's stock recipes, each for two steps.
if(AUTOMODEL_ENGINE)
  add_test(NAME recipes.stock COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/stock_test.py)
  set_tests_properties(recipes.stock PROPERTIES
    LABELS parity SKIP_RETURN_CODE 77 TIMEOUT 900
    ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;AUTOMODEL_RUNS=none;PYTHONDONTWRITEBYTECODE=1")
endif()
