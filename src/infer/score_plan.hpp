#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/infer/scorer.hpp"

namespace xlrm {

//! One distinct text and the places of the result that ask for it. The prompt's length belongs to it: it decides which tokens the
//! mean is over, and how the attention is divided.
struct DistinctText {
    std::int64_t answer = 0;
    std::vector<std::int64_t> places;
};

//! In order of first appearance.
std::vector<DistinctText> find_distinct(const ItemSet& set, std::span<const std::int64_t> answers);

//! Indices of `texts` in batches of at most options.token_budget physical tokens (a longer text alone), longest texts first,
//! those of one prompt together.
std::vector<std::vector<std::size_t>> plan_batches(const ItemSet& set, const std::vector<DistinctText>& texts,
                                                   const ScoreOptions& options);

}  // namespace xlrm
