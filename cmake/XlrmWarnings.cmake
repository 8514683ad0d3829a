# xlrm::warnings: the warnings under which every source of xlrm compiles without a message.
add_library(xlrm_warnings INTERFACE)
add_library(xlrm::warnings ALIAS xlrm_warnings)
target_compile_options(xlrm_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wundef -Wno-sign-conversion
  $<$<BOOL:${XLRM_WERROR}>:-Werror>)
