# xlrm_add_layer(NAME SOURCES file... [LINK target...] [APART file...])
# One static library a layer, xlrm::NAME. Its public headers are include/xlrm/NAME/*.hpp; every header must compile
# alone (target xlrm_NAME_verify_interface_header_sets).
#
# XLRM_FAST_BUILD: most of a compiler's time goes into the same headers (libtorch's, nlohmann's) again and again. With it several
# sources of a layer are one unit, and layers that are all APART get their headers precompiled. APART: sources that stay units of
# their own, ALL for all: those that compute, so that no call is inlined, and no product and sum fused, which otherwise would not
# be; and those with a name of their own that another source has too ("redefinition" of something in an unnamed namespace).
function(xlrm_add_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;APART" ${ARGN})
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/xlrm/${name}/*.hpp)
  if(NOT ARG_SOURCES)
    add_library(xlrm_${name} INTERFACE)
    add_library(xlrm::${name} ALIAS xlrm_${name})
    target_include_directories(xlrm_${name} INTERFACE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(xlrm_${name} INTERFACE ${ARG_LINK})
    return()
  endif()
  add_library(xlrm_${name} STATIC)
  add_library(xlrm::${name} ALIAS xlrm_${name})
  set_target_properties(xlrm_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(xlrm_${name} PRIVATE ${ARG_SOURCES}
    PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  if(XLRM_ARCH)
    target_compile_options(xlrm_${name} PRIVATE -march=${XLRM_ARCH})
  endif()
  target_link_libraries(xlrm_${name} PUBLIC ${ARG_LINK} PRIVATE xlrm::warnings)
  if(NOT XLRM_FAST_BUILD)
    return()
  endif()
  if(ARG_APART STREQUAL ALL)
    target_precompile_headers(xlrm_${name} REUSE_FROM xlrm_precompiled)
  else()
    set_target_properties(xlrm_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
    set_source_files_properties(${ARG_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# The precompiled headers, compiled as the layers are that use them. ccache sees what is in them only with -fpch-preprocess.
function(xlrm_add_precompiled)
  add_library(xlrm_precompiled OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  set_target_properties(xlrm_precompiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(XLRM_ARCH)
    target_compile_options(xlrm_precompiled PRIVATE -march=${XLRM_ARCH})
  endif()
  target_link_libraries(xlrm_precompiled PRIVATE xlrm::torch nlohmann_json::nlohmann_json xlrm::warnings)
  target_precompile_headers(xlrm_precompiled PRIVATE <ATen/core/Tensor.h> <nlohmann/json.hpp> <algorithm> <filesystem> <functional> <map>
    <memory> <optional> <span> <string> <vector>)
endfunction()
