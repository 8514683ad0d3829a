#pragma once

namespace xlrm::cpu {

//! Sets of instructions that kernels are written for, each with those before it. `baseline` is what the project was compiled for
//! (AVX2, as a rule).
enum class Isa { baseline, avx512, amx };

//! The highest that may be chosen: XLRM_CPU (avx2, avx512 or amx) where it is set, for tests and to compare machines; else all.
//! Whether the processor has it is another question. Throws Error for another value.
Isa highest_isa();

}  // namespace xlrm::cpu
