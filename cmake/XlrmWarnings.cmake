# xlrm::warnings: the warnings under which every source of xlrm compiles without a message.
# -Wno-restrict: g++ 12 reports it falsely for std::string concatenation (GCC bug 105651).
add_library(xlrm_warnings INTERFACE)
add_library(xlrm::warnings ALIAS xlrm_warnings)
target_compile_options(xlrm_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wundef -Wno-sign-conversion $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${XLRM_WERROR}>:-Werror>)
