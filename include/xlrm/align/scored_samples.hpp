#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/store/samples_file.hpp"

namespace xlrm {

//! The samples of one prompt with what scorers gave them.
struct ScoredPrompt {
    PromptKey key;
    std::vector<std::int32_t> samples;        //!< their indices, ascending
    std::vector<std::vector<double>> scores;  //!< of each name that was asked for, in the order of `samples`
};

//! Reads samples with the scores of `names`, prompts in ascending order of their keys. Files (plain or gzip) are of two forms:
//!   a sample a line   samples.jsonl with "scores": {name: number}. A name that is not there is a field of the line with a number
//!                     (logprob, or what the user added), or, where there is none of that name either, one of the lengths below.
//!                     Several files may hold the same samples, each with other scores.
//!   a prompt a line   {"id", "lang", "completions": [texts …], name: [numbers …]} as RewardBench's best-of-n files; samples are
//!                     counted from 0.
//! Lengths: `characters` (code points of the text), `tokens` (of the list `tokens`). `occurrence` is 0 where a line lacks it.
//! Throws Error naming file, line and field: a sample twice in a file, with two texts or with two scores of one name; a list that
//! is not as long as the completions; a score that is no number; Error for samples that lack a score, how many and the first;
//! Error(io).
std::vector<ScoredPrompt> read_scored_samples(const std::vector<std::filesystem::path>& files,
                                              const std::vector<std::string>& names);

}  // namespace xlrm
