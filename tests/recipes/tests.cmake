# The reference's stock recipes, each for two steps; packing; the benchmark recipe; where a model comes from; the examples
# of share/configs; the quick start; every key called used.
if(AUTOMODEL_ENGINE)
  foreach(test stock packing benchmark model_source examples quickstart used)
    add_test(NAME recipes.${test} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${test}_test.py)
    set_tests_properties(recipes.${test} PROPERTIES
      LABELS parity SKIP_RETURN_CODE 77 TIMEOUT 900
      ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;AUTOMODEL_RUNS=none;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endif()
