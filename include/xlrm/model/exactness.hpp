#pragma once

#include <cstdint>
#include <string>

#include "xlrm/model/decoder.hpp"

namespace xlrm {

//! What a check of this machine's arithmetic found.
struct ExactnessCheck {
    std::string problem;            //!< "" where the bits of scores and states depend on no batch, else what was seen
    std::uint64_t fingerprint = 0;  //!< of all bits: differs where another processor rounds or adds otherwise
};

//! Whether the products of the decoder's shapes (the weights of its first block) give a row the same bits alone, in company of up
//! to `most_rows` rows (4096 at most are tried) and beside fewer columns. All else that a score goes through is computed row by
//! row by kernels of our own. Costs one block's forward pass over a batch of that size and 500 tokens more.
ExactnessCheck check_exactness(const Decoder& decoder, std::int64_t most_rows);

}  // namespace xlrm
