# xlrm::cld2, Compact Language Detector 2, for the language of an answer. Optional: without it XlrmCld2_FOUND is false, and what needs
# the language of a text says so.
set(XlrmCld2_FOUND FALSE)
find_path(XLRM_CLD2_INCLUDE cld2/public/compact_lang_det.h)
find_library(XLRM_CLD2_LIBRARY NAMES cld2)
if(XLRM_CLD2_INCLUDE AND XLRM_CLD2_LIBRARY)
  set(XlrmCld2_FOUND TRUE)
  add_library(xlrm_cld2 INTERFACE)
  add_library(xlrm::cld2 ALIAS xlrm_cld2)
  target_include_directories(xlrm_cld2 SYSTEM INTERFACE ${XLRM_CLD2_INCLUDE})
  target_link_libraries(xlrm_cld2 INTERFACE ${XLRM_CLD2_LIBRARY})
else()
  message(STATUS "CLD2 was not found: the language of texts cannot be detected. Debian: libcld2-dev; conda-forge: cld2")
endif()
