#include "xlrm/core/build_info.hpp"

#include "xlrm_commit.h"

namespace xlrm {

std::string version() { return XLRM_VERSION; }

std::string code_version() { return std::string(XLRM_VERSION) + " (" + XLRM_COMMIT + ")"; }

std::string build_summary() {
    return "xlrm " + code_version() + "\ncompiler " + __VERSION__ + "\nbuild " + XLRM_BUILD_TYPE + ", -march=" + XLRM_ARCH_NAME +
           "\n";
}

}  // namespace xlrm
