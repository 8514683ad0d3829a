#include <cassert>

#include "ops/cpu/amx.hpp"

namespace xlrm::cpu {

bool amx_available() { return false; }

void amx_weight_gradient(const AmxWeightGradient&, std::int64_t, std::int64_t, Bf16*) { assert(false); }

}  // namespace xlrm::cpu
