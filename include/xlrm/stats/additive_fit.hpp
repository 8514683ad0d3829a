#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! One observed cell of a source × target matrix.
struct MatrixCell {
    std::int64_t source = 0, target = 0;
    double value = 0.0;
    bool home = false;  //!< the source's language is the target's
};

//! A[s,t] = mean + source[s] + target[t] + home·[s is t], by least squares over the cells there are, source and target effects
//! each with sum zero. A source's strength and a target's difficulty must be taken away before A[s,t] − A[t,s] says anything.
struct AdditiveFit {
    double mean = 0.0;
    std::vector<double> source, target;
    double home = 0.0;
    double residual = 0.0;  //!< sqrt(Σ residual² / (cells − parameters)); 0 where there are no more cells than parameters
    bool with_home = true;  //!< whether `home` is in the model: cells of both kinds exist
};

//! not_identified where the cells do not determine the parameters (a source or a target without cells; parts without common
//! cells). On success `fit` is filled. Throws Error for indices out of range.
struct AdditiveOutcome {
    bool defined = false;
    Undefined why = Undefined::not_identified;
    AdditiveFit fit;
};
AdditiveOutcome additive_fit(std::span<const MatrixCell> cells, std::int64_t sources, std::int64_t targets);

}  // namespace xlrm
