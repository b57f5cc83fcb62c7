# The built program against the reference's own runs. Each script prints its largest errors; 77 is "skipped".
if(AUTOMODEL_ENGINE)
  function(add_golden_test name labels)
    add_test(NAME golden.${name} COMMAND ${AUTOMODEL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${ARGN})
    set_tests_properties(golden.${name} PROPERTIES
      LABELS "${labels}" SKIP_RETURN_CODE 77 TIMEOUT 1200
      ENVIRONMENT "AUTOMODEL_PROGRAM=$<TARGET_FILE:automodel>;AUTOMODEL_RUNS=none;PYTHONDONTWRITEBYTECODE=1")
  endfunction()

  foreach(recipe sft_llama_const sft_llama_3epochs sft_llama_noshuffle sft_qwen3_cosine chat_llama pretrain_nanogpt_llama
          lora_llama_fp32 lora_llama)
    add_golden_test(${recipe} golden recipe_test.py ${recipe})
  endforeach()
  foreach(promise initial_weights bf16 chat_template resume kill lora_resume sigterm full_disk transformers)
    add_golden_test(${promise} golden ${promise}_test.py)
  endforeach()
  add_golden_test(real_model "golden;full;slow" real_model_test.py)
endif()
