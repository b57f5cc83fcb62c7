# Where the wheels lie. Sets AUTOMODEL_SITE (site-packages), AUTOMODEL_PYTHON and the CUDA compiler.
file(GLOB AUTOMODEL_SITE "${AUTOMODEL_DEPS}/venv/lib/python3*/site-packages")
if(NOT AUTOMODEL_SITE)
  message(FATAL_ERROR "${AUTOMODEL_DEPS}/venv is missing: run packaging/setup first")
endif()
set(AUTOMODEL_PYTHON "${AUTOMODEL_DEPS}/venv/bin/python")
set(AUTOMODEL_CUDA_ROOT "${AUTOMODEL_SITE}/nvidia/cu13")
