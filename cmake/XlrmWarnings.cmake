# xlrm::warnings: the warnings under which every source of xlrm compiles without a message.
# -Wno-restrict: g++ 12 reports it falsely for std::string concatenation (GCC bug 105651); beside a precompiled header, where it
# takes the library's lines for ours, -Wstringop-overflow and -Warray-bounds too (105329).
add_library(xlrm_warnings INTERFACE)
add_library(xlrm::warnings ALIAS xlrm_warnings)
target_compile_options(xlrm_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wundef -Wno-sign-conversion $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${XLRM_FAST_BUILD}>>:-Wno-stringop-overflow -Wno-array-bounds>
  $<$<BOOL:${XLRM_WERROR}>:-Werror>)
