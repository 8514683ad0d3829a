#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/stats/canonical_correlation.hpp"
#include "xlrm/stats/cka.hpp"
#include "xlrm/stats/estimate.hpp"
#include "xlrm/stats/permutation_null.hpp"

namespace xlrm {

//! What a measure keeps of one side, computed once for all comparisons; or why there is none.
struct SimilarityForm {
    at::Tensor kept = {};
    std::optional<Undefined> why = {};
    double norm = 0.0;                         //!< of ranks: root of Σ_{i>j} of their squares
    std::shared_ptr<const CkaSide> side = {};  //!< of kernels
    std::optional<PwccaSide> columns = {};     //!< of CCA, where two such sides can be compared
};

struct SimilarityValue {
    EstimateWithInterval value;
    PermutationNull null;
};

//! A measure of how alike two representations of the same items are, by its full name.
struct SimilarityMeasure {
    std::string name;       //!< "cka.linear.debiased"
    bool score = true;      //!< 1 = the same; else a distance, 0 = the same
    std::string invariant;  //!< to what maps of either side
    std::string centring, normalisation;
    std::string source;  //!< of its definition
    //! One global measure, one local one and the metric: made within subsets too, and between the languages of trained models.
    bool core = false;
    //! `x`: (n, d) fp64.
    SimilarityForm (*prepare)(const at::Tensor& x);
    //! Of defined forms.
    SimilarityValue (*compare)(const SimilarityForm& x, const SimilarityForm& y, std::int64_t permutations);
};
const std::vector<SimilarityMeasure>& similarity_measures();

}  // namespace xlrm
