# xlrm_add_test(layer/module [NP n...] [LINK target...] [LABELS label...] [TIMEOUT s] [SOURCES file...])
# Builds tests/layer/module_test.cpp with the common main and registers one CTest entry for each rank count.
# XLRM_TEST_NP tells the main how many ranks it must find, so a launch that yields singletons fails.
function(xlrm_add_test path)
  cmake_parse_arguments(ARG "" "TIMEOUT" "NP;LINK;LABELS;SOURCES" ${ARGN})
  if(NOT ARG_NP)
    set(ARG_NP 1)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  get_filename_component(layer ${path} DIRECTORY)
  string(REPLACE "/" "_" target ${path}_test)
  add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/${path}_test.cpp ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE xlrm::${layer} ${ARG_LINK} xlrm_test_support xlrm::warnings)
  target_compile_options(${target} PRIVATE -O1)  # a third less to compile; what is tested is the library's code
  target_compile_definitions(${target} PRIVATE XLRM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(XLRM_FAST_BUILD)
    # Of the layers that use libtorch, and of the others: its headers and options differ.
    set(torch "")
    if(layer MATCHES "^(ops|model|infer|stats|eval|train|align|analysis|sweep|bench)$")
      set(torch _torch)
    endif()
    target_precompile_headers(${target} REUSE_FROM xlrm_test_precompiled${torch})
  endif()
  foreach(np IN LISTS ARG_NP)
    add_test(NAME ${path}/np${np} COMMAND ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none
      ${MPIEXEC_NUMPROC_FLAG} ${np} ${MPIEXEC_PREFLAGS} $<TARGET_FILE:${target}> ${MPIEXEC_POSTFLAGS})
    set_tests_properties(${path}/np${np} PROPERTIES PROCESSORS ${np} TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
      ENVIRONMENT "XLRM_TEST_NP=${np};OMP_NUM_THREADS=1;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_mpi_yield_when_idle=1;OMPI_MCA_btl_vader_single_copy_mechanism=none;OMPI_MCA_rmaps_base_oversubscribe=1")
  endforeach()
endfunction()

# xlrm_add_isa_test(layer/module isa...): the same test again with the kernels for lesser processors.
function(xlrm_add_isa_test path)
  string(REPLACE "/" "_" target ${path}_test)
  get_test_property(${path}/np1 ENVIRONMENT environment)
  get_test_property(${path}/np1 TIMEOUT timeout)
  foreach(isa IN LISTS ARGN)
    add_test(NAME ${path}/${isa} COMMAND ${target})
    set_tests_properties(${path}/${isa} PROPERTIES TIMEOUT ${timeout} ENVIRONMENT "${environment};XLRM_CPU=${isa}")
  endforeach()
endfunction()

# xlrm_add_reference_test(layer/module [argument…]): the same test again with the ops of src/ops/reference.
function(xlrm_add_reference_test path)
  string(REPLACE "/" "_" target ${path}_test)
  get_test_property(${path}/np1 ENVIRONMENT environment)
  get_test_property(${path}/np1 TIMEOUT timeout)
  add_test(NAME ${path}/reference COMMAND ${target} ${ARGN})
  set_tests_properties(${path}/reference PROPERTIES TIMEOUT ${timeout} ENVIRONMENT "${environment};XLRM_OPS=reference")
endfunction()

# xlrm_add_test_precompiled(target [HEADERS header…] [LINK target…]): the precompiled headers of tests.
function(xlrm_add_test_precompiled target)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINK" ${ARGN})
  add_library(${target} OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(${target} PRIVATE ${ARG_LINK} nlohmann_json::nlohmann_json GTest::gtest xlrm::warnings)
  target_compile_options(${target} PRIVATE -O1)
  target_precompile_headers(${target} PRIVATE ${ARG_HEADERS} <gtest/gtest.h> <nlohmann/json.hpp> <algorithm> <filesystem> <fstream> <functional>
    <map> <memory> <optional> <sstream> <string> <vector>)
endfunction()
