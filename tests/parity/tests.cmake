# The program against transformers, live. Each script prints its largest errors.
add_test(NAME parity.config COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/config_test.py)
add_test(NAME parity.sizes COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/sizes_test.py)
add_test(NAME parity.published COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/published_test.py)
set(parity_tests parity.config parity.sizes parity.published)
if(AUTOMODEL_ENGINE)
  add_test(NAME parity.forward COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/forward_test.py)
  add_test(NAME parity.generate COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/generate_test.py)
  add_test(NAME parity.strict COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/strict_test.py)
  add_test(NAME parity.heads COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/heads_test.py)
  add_test(NAME parity.real_models COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/real_models_test.py)
  set_tests_properties(parity.real_models PROPERTIES SKIP_RETURN_CODE 77)
  add_test(NAME parity.documents COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/documents_test.py)
  add_test(NAME parity.round_trip COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/round_trip_test.py)
  add_test(NAME parity.remote COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/remote_test.py)
  add_test(NAME parity.user_family COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/user_family_test.py)
  add_test(NAME parity.moe COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/moe_test.py)
  add_test(NAME parity.quantized COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/quantized_test.py)
  add_test(NAME parity.init COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/init_test.py)
  add_test(NAME parity.convert COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/convert_test.py)
  add_test(NAME parity.side_files COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/side_files_test.py)
  add_test(NAME parity.peft COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/peft_test.py)
  list(APPEND parity_tests parity.forward parity.generate parity.peft parity.strict parity.user_family parity.documents
       parity.round_trip parity.heads parity.real_models parity.remote parity.moe parity.quantized
       parity.convert parity.side_files parity.init)
  # All of what parity.strict draws an eighth of: ctest -C Full -L full.
  add_test(NAME parity.strict_full CONFIGURATIONS Full
    COMMAND ${CMAKE_COMMAND} -E env STRICT_SAMPLE=8 ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/strict_test.py)
  list(APPEND parity_tests parity.strict_full)
endif()
set_tests_properties(${parity_tests} PROPERTIES
  LABELS parity SKIP_RETURN_CODE 77 TIMEOUT 900
  ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;PYTHONDONTWRITEBYTECODE=1")
if(AUTOMODEL_ENGINE)
  set_tests_properties(parity.strict_full PROPERTIES LABELS "parity;full" TIMEOUT 3600)
endif()
