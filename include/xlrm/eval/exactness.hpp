#pragma once

#include "xlrm/model/decoder.hpp"
#include "xlrm/model/scorer.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Self-test of `--exact yes`: scores of the first texts of `set` (of fresh random rows for a base model: nothing to test) alone, in
//! one batch and in reversed order must have the same bits on this machine. Throws Error where they do not.
void require_exact(const Decoder& decoder, const ItemSet& set, const ScoreOptions& options);

}  // namespace xlrm
