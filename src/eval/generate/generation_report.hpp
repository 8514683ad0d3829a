#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "generate/setup.hpp"

namespace xlrm {

//! Memory of one rank, in bytes.
struct GenerationMemory {
    std::int64_t program = 0;  //!< what it has at the start: libraries, prompts
    std::int64_t weights = 0;
    std::int64_t cache = 0;  //!< most of keys and values
    std::int64_t pass = 0;   //!< of the computation
    std::int64_t total() const { return program + weights + cache + pass; }
};

//! The cache gets --cache-memory, else what all texts of a rank at once may need, or less: half of the memory that is free beside
//! the weights, divided by the ranks of the machine. To be called before the weights are there. Throws Error where nothing is
//! free.
GenerationMemory plan_memory(const GenerationSetup& setup, const GenerateJob& job, int local_ranks, int ranks);

//! What became of the samples, by language: texts, mean tokens, how they ended, how many are in another language than the
//! prompt's, with the detector's own error.
std::string samples_summary(const std::filesystem::path& samples);

}  // namespace xlrm
