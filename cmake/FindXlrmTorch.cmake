# xlrm::torch from the unpacked PyPI wheel (or any tree that holds torch/include and torch/lib).
# find_package(Torch) is not used: for a CUDA wheel it demands the whole CUDA toolkit even where only the CPU library is
# linked. libtorch.so is not linked either: it would load all of CUDA.
find_path(XLRM_TORCH_INCLUDE ATen/core/Tensor.h
  HINTS ${XLRM_TORCH_ROOT}/include $ENV{XLRM_TORCH_ROOT}/include ${XLRM_CACHE}/libtorch-2.11.0-cuda/torch/include ${XLRM_CACHE}/libtorch-2.11.0-cpu/torch/include
  PATH_SUFFIXES torch/include)
if(NOT XLRM_TORCH_INCLUDE)
  message(FATAL_ERROR "xlrm needs libtorch (torch 2.11.0), which was not found.\n"
    "  scripts/setup unpacks it into ${XLRM_CACHE}.    Spack: py-torch    conda-forge: libtorch\n"
    "  Elsewhere: -DXLRM_TORCH_ROOT=<folder that holds include/ATen and lib/libtorch_cpu.so>")
endif()
get_filename_component(XLRM_TORCH_DIR ${XLRM_TORCH_INCLUDE} DIRECTORY)
find_library(XLRM_TORCH_CPU_LIBRARY torch_cpu HINTS ${XLRM_TORCH_DIR}/lib NO_DEFAULT_PATH REQUIRED)
find_library(XLRM_TORCH_C10_LIBRARY c10 HINTS ${XLRM_TORCH_DIR}/lib NO_DEFAULT_PATH REQUIRED)
add_library(xlrm_torch INTERFACE)
add_library(xlrm::torch ALIAS xlrm_torch)
target_include_directories(xlrm_torch SYSTEM INTERFACE ${XLRM_TORCH_INCLUDE} ${XLRM_TORCH_INCLUDE}/torch/csrc/api/include)
# OpenMP: at::parallel_for is a plain loop unless the caller is compiled with it; the pool is libtorch's own libgomp.so.1,
# found first by the run path.
target_compile_options(xlrm_torch INTERFACE -fopenmp)
target_link_libraries(xlrm_torch INTERFACE ${XLRM_TORCH_CPU_LIBRARY} ${XLRM_TORCH_C10_LIBRARY})
target_link_options(xlrm_torch INTERFACE -fopenmp -Wl,--allow-shlib-undefined)
