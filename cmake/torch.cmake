# LibTorch and CUDA from their wheels, as imported targets: find_package(Torch) would pull in a CUDA toolkit search and
# dozens of libraries that are not linked here.
set(torch_root ${AUTOMODEL_SITE}/torch)
foreach(name c10 torch_cpu c10_cuda torch_cuda)
  add_library(${name} SHARED IMPORTED)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION ${torch_root}/lib/lib${name}.so
    INTERFACE_INCLUDE_DIRECTORIES "${torch_root}/include;${torch_root}/include/torch/csrc/api/include")
endforeach()
target_link_libraries(torch_cpu INTERFACE c10)
target_compile_definitions(torch_cpu INTERFACE AT_PER_OPERATOR_HEADERS TORCH_ASSERT_ONLY_METHOD_OPERATORS)
if(NOT AUTOMODEL_CUDA)
  return()
endif()

# Registers the CUDA half of ATen by being loaded: nothing names a symbol of it, so the linker must be told to keep it.
target_link_options(torch_cuda INTERFACE -Wl,--no-as-needed)
target_link_libraries(torch_cuda INTERFACE torch_cpu c10_cuda cuda_runtime)

set(CMAKE_CUDA_COMPILER ${AUTOMODEL_CUDA_ROOT}/bin/nvcc)
set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "CUDA architectures to compile for")
set(CMAKE_CUDA_FLAGS "-L${AUTOMODEL_CUDA_ROOT}/lib" CACHE STRING "")
set(CUDAToolkit_ROOT ${AUTOMODEL_CUDA_ROOT})
# The wheel has libcudart.so.13 only; the linker wants the plain name.
if(NOT EXISTS ${AUTOMODEL_CUDA_ROOT}/lib/libcudart.so)
  file(CREATE_LINK libcudart.so.13 ${AUTOMODEL_CUDA_ROOT}/lib/libcudart.so SYMBOLIC)
endif()
enable_language(CUDA)

add_library(cuda_runtime SHARED IMPORTED)
set_target_properties(cuda_runtime PROPERTIES
  IMPORTED_LOCATION ${AUTOMODEL_CUDA_ROOT}/lib/libcudart.so.13
  INTERFACE_INCLUDE_DIRECTORIES ${AUTOMODEL_CUDA_ROOT}/include)
