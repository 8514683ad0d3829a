#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace xlrm {

//! A linear classifier of states.
struct LogisticProbe {
    at::Tensor weights;      //!< (d)
    double intercept = 0.0;  //!< not penalised; 0 without
    double objective = 0.0;  //!< ½|w|² + C Σ log(1 + exp(−y_i (w·x_i + b)))
    double gradient = 0.0;   //!< largest absolute component at the solution
    int iterations = 0;
    //! Share of rows whose label (0 or 1) the sign of w·x + b gives.
    double accuracy(const at::Tensor& x, const at::Tensor& labels) const;
};

//! Minimises the objective by Newton's method with a halving line search from zero, to a gradient below 1e-8 (1 + C n):
//! scikit-learn's LogisticRegression with penalty l2. x: (n, d) fp64, labels: (n) int64 of 0 and 1. A probe shows that something
//! can be read, not that it is used; for preferences take differences of states with their negatives and no intercept, and split
//! by source item. Throws Error for labels of one kind, other labels, or other sizes.
LogisticProbe fit_probe(const at::Tensor& x, const at::Tensor& labels, double c = 1.0, bool intercept = true);

//! The same minimum where there are more features than rows: the weights lie in the span of the rows, so Newton's steps are taken
//! in its coordinates.
LogisticProbe fit_wide_probe(const at::Tensor& x, const at::Tensor& labels, double c = 1.0, bool intercept = true);

}  // namespace xlrm
