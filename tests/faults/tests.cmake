# Faults of the machine. Each script trains in its own folder; 77 is "skipped".
if(AUTOMODEL_ENGINE)
  foreach(fault signals disk file_size damage two_runs clock resume branches)
    add_test(NAME faults.${fault} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${fault}_test.py)
    set_tests_properties(faults.${fault} PROPERTIES
      LABELS faults SKIP_RETURN_CODE 77 TIMEOUT 600
      ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endif()
