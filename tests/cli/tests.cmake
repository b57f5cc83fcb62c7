# The program as a user meets it: text cases and scripts.
file(GLOB cli_cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.txt)
set(cli_tests)
foreach(case ${cli_cases})
  get_filename_component(name ${case} NAME_WE)
  add_test(NAME cli.${name} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/run.py ${case})
  list(APPEND cli_tests cli.${name})
endforeach()
foreach(script startup hostile stock_recipes pyyaml texts resolved reference checkpoints runs coming_from)
  add_test(NAME cli.${script} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${script}.py)
  list(APPEND cli_tests cli.${script})
endforeach()
set_tests_properties(${cli_tests} PROPERTIES
  LABELS cli SKIP_RETURN_CODE 77 TIMEOUT 180
  ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;AUTOMODEL_RUNS=none;PYTHONDONTWRITEBYTECODE=1")
# Its figures are wall times: nothing may run beside it.
set_tests_properties(cli.startup PROPERTIES RUN_SERIAL ON)
set_tests_properties(cli.runs PROPERTIES RUN_SERIAL ON TIMEOUT 600)
# These compute models.
if(AUTOMODEL_ENGINE)
  foreach(script install first_hour data_show_parity)
    add_test(NAME cli.${script} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${script}.py)
    set_tests_properties(cli.${script} PROPERTIES
      LABELS cli SKIP_RETURN_CODE 77 TIMEOUT 300
      ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;AUTOMODEL_RUNS=none;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endif()
