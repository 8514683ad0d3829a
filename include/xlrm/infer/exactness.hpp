#pragma once

#include <cstdint>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/infer/scorer.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Collective. Why the bits of scores and states depend on the batch or on the rank on these machines; "" where they do not. Each
//! rank checks its products (check_exactness), and all must have found the same bits: processors of several kinds add in
//! different orders.
std::string find_inexactness(const Communicator& group, const Decoder& decoder, std::int64_t token_budget);

//! The test behind `--exact yes`: scores (or log-probabilities) of the first texts of `set` alone, in one batch and in reversed
//! order must have the same bits on this machine. Throws Error where they do not.
void require_exact(const Decoder& decoder, const ItemSet& set, const ScoreOptions& options);

}  // namespace xlrm
