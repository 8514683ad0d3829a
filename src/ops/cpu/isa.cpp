#include "ops/cpu/isa.hpp"

#include <cstdlib>
#include <string>

#include "xlrm/core/error.hpp"

namespace xlrm::cpu {
namespace {

Isa asked() {
    const char* text = std::getenv("XLRM_CPU");
    const std::string name = text != nullptr ? text : "";
    if (name.empty() || name == "amx") return Isa::amx;
    if (name == "avx512") return Isa::avx512;
    if (name == "avx2") return Isa::baseline;
    fail("XLRM_CPU is '" + name + "' (avx2, avx512 and amx are known); unset it, and the best that the processor has is used",
         ExitCode::usage);
}

}  // namespace

Isa highest_isa() {
    static const Isa highest = asked();
    return highest;
}

}  // namespace xlrm::cpu
