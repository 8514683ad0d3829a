#include "ops/cpu/isa.hpp"

#include "ops/environment.hpp"

namespace xlrm::cpu {

Isa highest_isa() {
    static const Isa highest = [] {
        const std::string name =
            environment_choice("XLRM_CPU", {"avx2", "avx512", "amx"}, "it says which instructions kernels may use");
        return name == "avx2" ? Isa::baseline : name == "avx512" ? Isa::avx512 : Isa::amx;
    }();
    return highest;
}

}  // namespace xlrm::cpu
