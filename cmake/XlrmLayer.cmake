# xlrm_add_layer(NAME [SOURCES file...] [EXCEPT file...] [LINK target...] [APART file...])
# One static library a layer, xlrm::NAME, of all .cpp files below its folder but those of EXCEPT, and of SOURCES, which lie
# elsewhere. Its public headers are include/xlrm/NAME/*.hpp; every header must compile alone (target
# xlrm_NAME_verify_interface_header_sets).
#
# No product and sum are fused but in the kernels, which have options of their own: numbers do not depend on what the compiler
# sees together.
#
# XLRM_FAST_BUILD: most of a compiler's time goes into the same headers (libtorch's, nlohmann's) again and again. With it they are
# precompiled, and several sources of a layer are one unit. APART: sources that stay units of their own, since a name in them is in
# another source too ("redefinition" of something in an unnamed namespace); ALL where the layer says itself what is together.
function(xlrm_add_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;EXCEPT;LINK;APART" ${ARGN})
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/xlrm/${name}/*.hpp)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(REMOVE_ITEM sources "" ${ARG_EXCEPT})
  list(APPEND sources ${ARG_SOURCES})
  if(NOT sources)
    add_library(xlrm_${name} INTERFACE)
    add_library(xlrm::${name} ALIAS xlrm_${name})
    target_include_directories(xlrm_${name} INTERFACE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(xlrm_${name} INTERFACE ${ARG_LINK})
    return()
  endif()
  add_library(xlrm_${name} STATIC)
  add_library(xlrm::${name} ALIAS xlrm_${name})
  set_target_properties(xlrm_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(xlrm_${name} PRIVATE ${sources}
    PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  if(XLRM_ARCH)
    target_compile_options(xlrm_${name} PRIVATE -march=${XLRM_ARCH})
  endif()
  target_link_libraries(xlrm_${name} PUBLIC ${ARG_LINK} PRIVATE xlrm::warnings)
  target_compile_options(xlrm_${name} PRIVATE -ffp-contract=off)
  if(NOT XLRM_FAST_BUILD)
    return()
  endif()
  set(torch "")
  if(name MATCHES "^(ops|model|infer|stats|eval|train|align|analysis|sweep|bench)$")
    set(torch _torch)
  endif()
  target_precompile_headers(xlrm_${name} REUSE_FROM xlrm_precompiled${torch})
  if(NOT ARG_APART STREQUAL ALL)
    set_target_properties(xlrm_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
    set_source_files_properties(${ARG_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# xlrm_add_precompiled(target [HEADERS header…] [LINK target…]): headers precompiled as the layers are compiled that use them.
function(xlrm_add_precompiled target)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINK" ${ARGN})
  add_library(${target} OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(XLRM_ARCH)
    target_compile_options(${target} PRIVATE -march=${XLRM_ARCH})
  endif()
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  target_link_libraries(${target} PRIVATE ${ARG_LINK} nlohmann_json::nlohmann_json xlrm::warnings)
  target_precompile_headers(${target} PRIVATE ${ARG_HEADERS} <nlohmann/json.hpp> <algorithm> <filesystem> <fstream> <functional> <map> <memory>
    <optional> <set> <span> <sstream> <string> <vector>)
endfunction()
